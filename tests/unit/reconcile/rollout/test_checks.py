from collections.abc import Iterable

import pytest

from tests.fakes.aws import ScriptedAws
from understudy.reconcile.rollout import checks
from understudy.reconcile.rollout.checks import Answer

FINE = Answer(status=200, seconds=0.1)


class Site:
    """Answers by path, the last answer again and again."""

    def __init__(self, health: Iterable[Answer], ready: Iterable[Answer] = (FINE,)) -> None:
        self._answers = {"/health": list(health), "/ready": list(ready)}
        self.asked: list[str] = []

    def __call__(self, url: str, timeout_s: float) -> Answer:
        path = url.removeprefix("http://api")
        self.asked.append(path)
        answers = self._answers[path]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def looked(site: Site) -> tuple[dict[str, str], float]:
    fake = ScriptedAws()
    found = {one.name: f"{one.outcome}: {one.detail}" for one in checks.web(fake.aws, "http://api", site)}
    return found, fake.clock.time


def test_a_healthy_app_is_asked_once() -> None:
    found, waited = looked(site := Site([FINE]))
    assert found == {
        "GET /health": "passed: 200 in 0.10 s",
        "GET /ready": "passed: 200 in 0.10 s",
    }
    assert (site.asked, waited) == (["/health", "/ready"], 0)


@pytest.mark.parametrize(
    "first",
    [Answer(status=200, seconds=4), Answer(status=404, seconds=0.1), Answer(status=0, seconds=0.1)],
    ids=["cold-start", "api-spreads", "no-answer-yet"],
)
def test_a_slow_beginning_is_asked_again(first: Answer) -> None:
    found, waited = looked(Site([first, FINE]))
    assert (found["GET /health"], waited) == ("passed: 200 in 0.10 s", 1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=500, seconds=0.1, text="no"), "failed: 500 in 0.10 s, expected 200: no"),
        (Answer(status=200, seconds=3), "failed: 200 in 3.00 s, limit 2 s"),
        (Answer(status=0, seconds=15, text="refused"), "failed: no answer, expected 200: refused"),
        (Answer(status=401, seconds=0.1), "skipped: 401: the API asks for credentials"),
    ],
    ids=["error", "slow", "nothing", "locked"],
)
def test_what_stays_is_told(answer: Answer, outcome: str) -> None:
    assert looked(Site([answer]))[0]["GET /health"] == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=404, seconds=0.1), "skipped: 404: the app does not offer it"),
        (Answer(status=503, seconds=0.1, text="table"), "failed: 503, expected 200: table"),
    ],
)
def test_readiness_is_looked_at_where_the_app_has_it(answer: Answer, outcome: str) -> None:
    assert looked(Site([FINE], [answer]))[0]["GET /ready"] == outcome


def logged(*messages: str, request_id: str = "a") -> dict[str, str]:
    events = [
        {"timestamp": 1, "logStreamName": "2026/01/31/[2]x", "eventId": str(number), "message": message}
        for number, message in enumerate(messages)
    ]
    fake = ScriptedAws(
        {"GetFunctionConfiguration": {}, "FilterLogEvents": [{"events": []}, {"events": events}]}
    )
    found = checks.log(fake.aws, "shop", "2", 0, request_id)
    return {one.name: f"{one.outcome}: {one.detail}" for one in found}


REPORT = "REPORT RequestId: a\tDuration: 1 ms\tInit Duration: {} ms"
LOG = "log of shop, version 2"


def test_the_log_is_read_until_the_probe_is_in_it() -> None:
    found = logged(REPORT.format("1200.00"))
    assert found[LOG].startswith("passed")
    assert found["cold start"] == "passed: 1.20 s, limit 15 s"


def test_a_log_that_does_not_come_is_told() -> None:
    found = logged("all is well", request_id="b")
    assert found[LOG] == "skipped: no REPORT of request b within 20 s"


def test_a_log_with_request_ids_of_its_own_is_read_all_the_same() -> None:
    assert logged(REPORT.format("1.0"), request_id="b")[LOG].startswith("passed")


@pytest.mark.parametrize("text", ["Runtime.ExitError", "[ERROR] Runtime.ImportModuleError: no"])
def test_a_version_that_could_not_start_is_seen(text: str) -> None:
    assert logged(text)[LOG] == f"failed: {text}"


def test_a_long_cold_start_fails() -> None:
    assert logged(REPORT.format("16000.0"))["cold start"] == "failed: 16.00 s, limit 15 s"

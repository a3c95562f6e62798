import itertools
import json

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import Refusal
from tests.unit.cli.conftest import Reached, Understudy
from understudy.cli import logs
from understudy.errors import EnvironmentProblemError
from understudy.targets.workspace import Workspace


def event(number: int, message: str) -> dict[str, object]:
    return {
        "timestamp": 1_700_000_000_000 + number,
        "logStreamName": "s",
        "eventId": str(number),
        "message": message,
    }


def has(*pages: object) -> dict[str, object]:
    return {"GetFunctionConfiguration": projects.CONFIGURATION, "FilterLogEvents": list(pages)}


def test_prints_each_line_with_its_time(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    fake = reach(has({"events": [event(1, "one\n"), event(2, "two")]})).fake

    done = understudy("logs", "shop:live", "--filter", "o")

    assert (done.exit_code, done.stdout) == (0, "22:13:20.001 one\n22:13:20.002 two\n")
    assert fake.params("FilterLogEvents")["logGroupName"] == "/aws/lambda/shop"
    assert fake.params("FilterLogEvents")["filterPattern"] == "o"


def test_json_is_one_document(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    reach(has({"events": [event(1, "one\n")]}))

    done = understudy("logs", "shop", "-o", "json")

    assert json.loads(done.stdout) == [
        {"at_ms": 1_700_000_000_001, "stream": "s", "event_id": "1", "message": "one\n"}
    ]


def test_no_lines_are_told_on_stderr(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    reach(has({"events": []}))

    done = understudy("logs", "shop", "--since", "30s")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "no log lines of shop in the last 30s" in done.stderr


def test_following_prints_each_line_once_and_goes_on(
    understudy: Understudy, project: Workspace, reach: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = itertools.count()

    def pause(_: float) -> None:
        if next(polls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(logs.time, "sleep", pause)
    reach(has({"events": [event(1, "one")]}, {"events": [event(1, "one"), event(2, "two")]}))

    done = understudy("logs", "shop", "-f", "-o", "json")

    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ["one", "two"]
    assert done.exit_code == 130


def test_following_outlives_the_stack(
    understudy: Understudy, project: Workspace, reach: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = reach(has({"events": [event(1, "one")]}, {"events": [event(2, "two")]}))
    polls = itertools.count()
    down = EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up")

    def pause(_: float) -> None:
        poll = next(polls)
        target.down = down if poll < 2 else None
        if poll == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(logs.time, "sleep", pause)

    done = understudy("logs", "shop", "-f", "-o", "json")

    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ["one", "two"]
    assert done.stderr.count("waiting for it to come back") == 1


def test_an_unknown_function_is_an_error_instead_of_silence(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach({"GetFunctionConfiguration": Refusal(code="ResourceNotFoundException", status=404)})

    done = understudy("logs", "shpo", "-f")

    assert done.exit_code == 1
    assert "function-absent" in done.stderr


@pytest.mark.parametrize("since", ["x", "", "10", "m", "-5m", "1w", "nan s", "infs", "1e9d"])
def test_a_wrong_duration_is_a_usage_error(since: str, understudy: Understudy, project: Workspace) -> None:
    done = understudy("logs", "shop", "--since", since)

    assert done.exit_code == 2
    assert "is no duration such as 30s, 10m or 2h" in done.stderr


@pytest.mark.parametrize(
    ("since", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1.5m", 90)]
)
def test_since_is_counted_back_from_now(
    since: str,
    seconds: int,
    understudy: Understudy,
    project: Workspace,
    reach: Reached,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs.time, "time", lambda: 1_700_000_000.0)
    fake = reach(has({"events": []})).fake

    understudy("logs", "shop", "--since", since)

    assert fake.params("FilterLogEvents")["startTime"] == (1_700_000_000 - seconds) * 1000

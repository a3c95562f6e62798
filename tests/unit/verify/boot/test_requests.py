"""What the answers to events say about an image."""

from typing import Any

import pytest

from tests.fakes import image_files
from understudy.verify.boot import events, requests
from understudy.verify.boot.model import BootReport, Event, Outcome
from understudy.verify.model import Finding, Severity

OWN = Event(name="e.json", kind="own", payload=b"{}")
WEB = events.get("/health")
STACK = ('  File "/var/task/app.py", line 2, in handler',)


def outcome(verdict: str, event: Event = WEB, **more: Any) -> Outcome:
    return Outcome(event=event, verdict=verdict, duration_ms=1.0, **more)  # type: ignore[arg-type]


def findings(*outcomes: Outcome, **report: Any) -> list[Finding]:
    told = BootReport(outcomes=outcomes, **report)
    return list(requests.findings(told, image_files.subject({}, memory_mb=128)))


@pytest.mark.parametrize(
    ("verdict", "event", "rule", "severity"),
    [
        ("exit", OWN, "boot-request-exit", Severity.FAILS),
        ("exit", events.plain(), "boot-request-exit", Severity.MAY_FAIL),
        ("timeout", WEB, "boot-request-timeout", Severity.FAILS),
        ("out-of-memory", OWN, "boot-out-of-memory", Severity.FAILS),
        ("too-large", OWN, "boot-response-unusable", Severity.FAILS),
        ("unreadable", events.plain(), "boot-response-unusable", Severity.MAY_FAIL),
        ("function-error", OWN, "boot-handler-error", Severity.FAILS),
        ("function-error", events.plain(), "boot-handler-error", Severity.INFO),
        ("function-error", WEB, "boot-handler-error", Severity.INFO),
    ],
)
def test_answer_that_fails_is_judged_by_whose_event_it_was(
    verdict: str, event: Event, rule: str, severity: Severity
) -> None:
    (finding,) = findings(outcome(verdict, event, error_type="E", message="m", stack=STACK))
    assert (finding.rule, finding.severity) == (rule, severity)
    assert finding.aws_text == "E: m"
    assert finding.places[0].path == "/var/task/app.py"


def test_web_application_that_answers_nothing_fails() -> None:
    broken = outcome("function-error", error_type="E", message="m")
    assert findings(broken, kind="web")[0].severity is Severity.FAILS
    served = outcome("answered", events.get("/"), status_code=200)
    assert findings(broken, served, kind="web")[0].severity is Severity.MAY_FAIL


def test_server_errors_only_may_fail_and_a_deliberate_one_does_not() -> None:
    assert findings(outcome("app-error", status_code=500))[0].severity is Severity.MAY_FAIL
    assert findings(outcome("app-error", status_code=503))[0].severity is Severity.INFO


def test_missing_event_loop_is_mangums() -> None:
    text = "There is no current event loop in thread 'MainThread'."
    (finding,) = findings(outcome("function-error", error_type="RuntimeError", message=text))
    assert finding.rule == "boot-event-loop"


def test_what_failed_for_want_of_the_network_is_one_note() -> None:
    first = outcome("app-error", status_code=503, network=True, names=("dynamodb.test",))
    second = outcome("timeout", events.get("/b"), error_type="Sandbox.Timedout", network=True)
    (finding,) = findings(first, first, second, endpoint_down="http://engine:1")
    assert (finding.rule, finding.severity) == ("boot-needs-aws", Severity.INFO)
    assert finding.message == (
        "not judged, for want of the network: GET /health: status 503 (wanted dynamodb.test); "
        "GET /b: Sandbox.Timedout; http://engine:1 does not answer"
    )
    assert len(finding.places) == 2


def test_same_failure_twice_is_one_finding_and_a_refused_event_none() -> None:
    broken = outcome("function-error", error_type="E", message="m")
    assert len(findings(broken, broken)) == 1
    assert findings(outcome("refused"), outcome("answered")) == []


def test_figures_are_of_the_first_event_taken_and_its_repetition() -> None:
    other = Outcome(event=events.plain(), verdict="refused", duration_ms=9.0)
    first = Outcome(event=WEB, verdict="answered", duration_ms=5.0)
    again = Outcome(event=WEB, verdict="answered", duration_ms=2.0)
    report = BootReport(outcomes=(other, first, again))
    assert (report.first_request_ms, report.second_request_ms) == (5.0, 2.0)
    assert BootReport(outcomes=(outcome("timeout", network=True),)).first_request_ms is None
    assert (BootReport().first_request_ms, BootReport().second_request_ms) == (None, None)

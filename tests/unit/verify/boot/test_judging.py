"""From what a boot showed to findings: the cause, how sure, whose line."""

from typing import Any

import pytest

from tests.fakes import image_files
from understudy.verify import boot
from understudy.verify.boot.model import (
    Attempt,
    BootReport,
    Frame,
    ImportChain,
    ImportStep,
    Observations,
    Observed,
)
from understudy.verify.model import Finding, Severity, Subject

READY = Attempt(phase="init", duration_ms=100.0)
APP = Frame(path="/var/task/app.py", line=4)


def subject(**launch: Any) -> Subject:
    return image_files.subject({"/var/task/app.py": image_files.Spec(content="x", layer=1)}, **launch)


def failed(error_type: str = "", message: str = "", **more: Any) -> Attempt:
    return Attempt(phase="init", duration_ms=900.0, error_type=error_type, message=message, **more)


def findings(*attempts: Attempt, launch: dict[str, Any] | None = None, **report: Any) -> tuple[Finding, ...]:
    return boot.findings(BootReport(attempts=attempts, **report), subject(**(launch or {})))


def seen(*items: Observed, **more: Any) -> Observations:
    return Observations(items=items, **more)


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        (failed("Runtime.ImportModuleError", "Unable to import"), "boot-import-error"),
        (failed("Runtime.HandlerNotFound", "Handler"), "boot-handler-missing"),
        (failed("Runtime.MalformedHandlerName", "Bad handler"), "boot-handler-missing"),
        (failed("Runtime.UserCodeSyntaxError", "Syntax error"), "boot-init-error"),
        (failed("KeyError", "'A'"), "boot-init-error"),
        (failed("OSError", "[Errno 30] Read-only file system: '/x'"), "boot-write-outside-tmp"),
        (failed("PermissionError", "[Errno 13] Permission denied: '/x'"), "boot-file-unreadable"),
        (
            failed("FileNotFoundError", "[Errno 2]", stack=("multiprocessing/synchronize.py",)),
            "boot-shared-memory",
        ),
        (failed("Runtime.InvalidEntrypoint", "fork/exec /x: permission denied"), "boot-entrypoint"),
        (failed("Runtime.InvalidWorkingDir", "chdir /x: no such file"), "boot-entrypoint"),
        (failed("Runtime.OutOfMemory", "signal: killed"), "boot-out-of-memory"),
        (failed("Runtime.ExitError", "exit status 1"), "boot-exit"),
        (failed("Sandbox.Timedout", "timed out", timed_out=True), "boot-timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_failed_init_has_one_cause_that_fails_on_lambda(attempt: Attempt, rule: str) -> None:
    (finding,) = findings(attempt)
    assert (finding.rule, finding.severity, finding.source) == (rule, Severity.FAILS, "boot")
    assert finding.places
    assert attempt.message in finding.message or attempt.timed_out


def test_import_error_has_the_chain_and_aws_text() -> None:
    steps = (
        ImportStep(path="/var/task/app.py", line=1, source="import native"),
        ImportStep(path="/var/task/native.py", line=2, source="from ._n import f"),
    )
    chain = ImportChain(steps=steps, error="E", file="/var/task/_n.so", causes=("OSError: x at /a:1",))
    attempt = failed("Runtime.ImportModuleError", "Unable to import module 'app': libx.so", chain=chain)
    (finding,) = findings(attempt)
    assert finding.aws_text == "Runtime.ImportModuleError: Unable to import module 'app': libx.so"
    assert "/var/task/app.py:1 (import native) -> /var/task/native.py:2" in finding.message
    assert "because of OSError: x at /a:1" in finding.message
    assert "/var/task/_n.so" in finding.fix
    assert (finding.places[1].path, finding.places[1].layer) == ("/var/task/app.py", 1)


@pytest.mark.parametrize(
    "report",
    [
        {"observations": seen(Observed(kind="connect", what="db.test:5432", frames=(APP,)))},
        {"names_at_init": ("db.test",)},
    ],
    ids=["connection", "native look-up"],
)
@pytest.mark.parametrize(
    "attempt",
    [failed("Runtime.ExitError", "exit status 1"), failed("Sandbox.Timedout", "x", timed_out=True)],
    ids=["exit", "timeout"],
)
def test_init_that_wanted_the_network_only_may_fail(attempt: Attempt, report: dict[str, Any]) -> None:
    (finding,) = findings(attempt, **report)
    assert (finding.rule, finding.severity) == ("boot-network-at-import", Severity.MAY_FAIL)
    assert "db.test" in finding.message
    allowed = findings(attempt, network="host", **report)
    assert allowed[0].severity is Severity.FAILS


def test_network_error_text_is_enough_offline() -> None:
    attempt = failed("OSError", "[Errno 101] Network is unreachable")
    assert findings(attempt)[0].rule == "boot-network-at-import"
    assert findings(attempt, network="host")[0].rule == "boot-init-error"


def test_web_server_is_told_by_where_it_waits_or_by_its_command() -> None:
    attempt = failed("Sandbox.Timedout", "x", timed_out=True)
    waiting = seen(waiting=(Frame(path="/var/lang/lib/python3.13/site-packages/uvicorn/server.py", line=1),))
    assert findings(attempt, observations=waiting)[0].rule == "boot-no-next"
    launch = {"entrypoint": ("/usr/local/bin/uvicorn",), "command": ("app:app",)}
    assert findings(attempt, launch=launch)[0].rule == "boot-no-next"


def test_place_of_a_silent_end_comes_from_the_observed_boot() -> None:
    attempt = failed("Runtime.ExitError", "exit status 3")
    exits = Observed(kind="exit", what="sys.exit(3)", frames=(APP,))
    (finding,) = findings(attempt, observations=seen(exits))
    assert "sys.exit(3) was called at /var/task/app.py:4" in finding.message
    assert (finding.places[0].path, finding.places[0].line) == ("/var/task/app.py", 4)
    crashed = findings(attempt, observations=seen(crashed=(APP,)))[0]
    assert "it crashed at /var/task/app.py:4" in crashed.message
    waiting = findings(failed("Sandbox.Timedout", "x", timed_out=True), observations=seen(waiting=(APP,)))[0]
    assert "it was still at /var/task/app.py:4" in waiting.message


def test_second_attempt_that_succeeds_may_fail() -> None:
    (finding,) = findings(failed("RuntimeError", "not yet"), READY)
    assert (finding.rule, finding.severity) == ("boot-init-twice", Severity.MAY_FAIL)
    assert finding.aws_text == "RuntimeError: not yet"


def test_side_effects_are_information_with_their_lines() -> None:
    items = [Observed(kind="write", what=f"/cache/{number}", frames=(APP,)) for number in range(12)]
    others = (
        Observed(kind="subprocess", what="git rev-parse", frames=(APP,)),
        Observed(kind="thread", what="sender (send)", frames=(APP,)),
    )
    found = findings(READY, observations=seen(*items, *others))
    assert [each.rule for each in found] == ["boot-write-outside-tmp", "boot-subprocess", "boot-thread"]
    assert {each.severity for each in found} == {Severity.INFO}
    assert found[0].message.endswith("and 2 more")
    assert [place.line for place in found[0].places] == [4]


@pytest.mark.parametrize(
    ("item", "network", "severity"),
    [
        (Observed(kind="connect", what="db.test:5432", frames=(APP,)), "isolated", Severity.MAY_FAIL),
        (Observed(kind="connect", what="db.test:5432", frames=(APP,)), "host", Severity.INFO),
        (Observed(kind="connect", what="8.8.8.8:53/udp", frames=(APP,)), "isolated", Severity.INFO),
        (Observed(kind="lookup", what="db.test", frames=(APP,)), "isolated", Severity.INFO),
        (Observed(kind="connect", what="http://engine:1", frames=(APP,)), "isolated", Severity.INFO),
    ],
    ids=["connection", "allowed", "datagram", "look-up", "engine"],
)
def test_network_at_import_that_init_survives(item: Observed, network: str, severity: Severity) -> None:
    (finding,) = findings(READY, observations=seen(item), network=network, endpoint="http://engine:1")
    assert (finding.rule, finding.severity) == ("boot-network-at-import", severity)


def test_name_of_a_connection_is_told_once() -> None:
    items = (
        Observed(kind="lookup", what="db.test", frames=(APP,)),
        Observed(kind="connect", what="db.test:5432", frames=(APP,)),
    )
    (finding,) = findings(READY, observations=seen(*items), names_at_init=("db.test", "other.test"))
    assert finding.message == (
        "init wants the network: db.test:5432 (/var/task/app.py:4); other.test (native code)"
    )


def test_boot_that_did_not_happen_passes_nothing() -> None:
    report = BootReport(skipped="the image is for arm64")
    (finding,) = boot.findings(report, subject())
    assert (finding.rule, finding.severity) == ("boot-skipped", Severity.INFO)
    assert "arm64" in finding.message
    assert not report.started


def test_healthy_boot_has_nothing_to_say() -> None:
    assert findings(READY, observations=Observations(problem="no Python")) == ()


def test_rules_are_complete_and_distinct() -> None:
    assert len({rule.id for rule in boot.RULES}) == len(boot.RULES)
    for rule in boot.RULES:
        assert rule.id.startswith("boot-")
        assert rule.catalogue
        assert rule.why
        assert rule.fix
        assert rule.link.startswith("https://")

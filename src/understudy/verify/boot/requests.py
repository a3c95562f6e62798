"""From the outcomes of events to findings: what of them says something about the image; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from understudy.verify.boot import stacks
from understudy.verify.boot.told import found, locate
from understudy.verify.model import Severity
from understudy.verify.rules import boot as rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from understudy.verify.boot.model import BootReport, EventKind, Outcome, Verdict
    from understudy.verify.model import Finding, Launch, Place, Rule, Subject

_NO_LOOP = re.compile(r"There is no current event loop")
_RULES: dict[Verdict, Rule] = {
    "function-error": rules.HANDLER_ERROR,
    "app-error": rules.APP_ERROR,
    "exit": rules.REQUEST_EXIT,
    "timeout": rules.REQUEST_TIMEOUT,
    "out-of-memory": rules.OUT_OF_MEMORY,
    "too-large": rules.RESPONSE,
    "unreadable": rules.RESPONSE,
}
_RAISED = 500


def findings(report: BootReport, subject: Subject) -> Iterator[Finding]:
    """Yields what the answers of a started function say."""
    wanting = [each for each in report.answers if each.network]
    if wanting:
        yield _needs_aws(wanting, report, subject)
    told: set[tuple[str, str]] = set()
    for outcome in report.answers:
        if outcome.verdict in {"answered", "refused"} or outcome.network:
            continue
        rule = rules.EVENT_LOOP if _NO_LOOP.search(outcome.message) else _RULES[outcome.verdict]
        if (rule.id, outcome.event.name) in told:
            continue
        told.add((rule.id, outcome.event.name))
        yield found(
            rule,
            *_places(outcome, subject),
            message=_message(outcome),
            fix=_fix(rule, subject.launch),
            aws_text=_aws_text(outcome),
            severity=_severity(rule, outcome, report),
        )


def _needs_aws(wanting: Sequence[Outcome], report: BootReport, subject: Subject) -> Finding:
    places = [locate(subject, each.event.name) for each in wanting]
    texts = []
    for each in wanting:
        told = each.message or (f"status {each.status_code}" if each.status_code else each.error_type)
        names = f" (wanted {', '.join(each.names)})" if each.names else ""
        texts.append(f"{each.event.name}: {told}{names}")
    down = f"; {report.endpoint_down} does not answer" if report.endpoint_down else ""
    message = f"not judged, for want of the network: {'; '.join(dict.fromkeys(texts))}{down}"
    return found(rules.NEEDS_AWS, *dict.fromkeys(places), message=message)


def _severity(rule: Rule, outcome: Outcome, report: BootReport) -> Severity | None:
    """How sure the finding is; `None` for as sure as its rule."""
    if rule is rules.EVENT_LOOP:
        return None
    kind = outcome.event.kind
    if rule is rules.HANDLER_ERROR:
        return Severity.FAILS if kind == "own" else _raised(kind, report)
    if rule is rules.APP_ERROR:
        return None if outcome.status_code == _RAISED else Severity.INFO
    # An empty event is nobody's own: what it does to the process, another event may never do.
    return Severity.MAY_FAIL if kind == "plain" else None


def _raised(kind: EventKind, report: BootReport) -> Severity:
    if any(each.status_code for each in report.answers):
        return Severity.MAY_FAIL
    return Severity.FAILS if kind == "web" and report.kind == "web" else Severity.INFO


def _message(outcome: Outcome) -> str:
    said = outcome.message or outcome.error_type
    if outcome.verdict == "app-error":
        return f"{outcome.event.name}: status {outcome.status_code}" + (f", {said}" if said else "")
    kind = f"{outcome.error_type}: " if outcome.error_type and outcome.error_type not in said else ""
    return f"{outcome.event.name}: {kind}{said}"


def _fix(rule: Rule, launch: Launch) -> str:
    if rule is rules.OUT_OF_MEMORY:
        return f"set memorySize to {min(10_240, launch.memory_mb * 2)}"
    if rule is rules.REQUEST_TIMEOUT:
        return f"set timeout above {launch.timeout_s:g}, or make the request faster"
    return ""


def _aws_text(outcome: Outcome) -> str | None:
    return f"{outcome.error_type}: {outcome.message}" if outcome.error_type else None


def _places(outcome: Outcome, subject: Subject) -> tuple[Place, ...]:
    found_places = [locate(subject, path, line) for path, line in stacks.places(outcome.stack)]
    return tuple(found_places) or (locate(subject, outcome.event.name),)

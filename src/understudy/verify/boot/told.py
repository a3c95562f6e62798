"""Makes findings and their places; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.verify.model import Finding, Place

if TYPE_CHECKING:
    from understudy.verify.model import Rule, Severity, Subject


def found(
    rule: Rule,
    *places: Place,
    message: str,
    fix: str = "",
    aws_text: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of `rule`; fix, text and severity are the rule's unless this case has its own."""
    return Finding(
        rule=rule.id,
        severity=severity or rule.severity,
        message=message,
        fix=fix or rule.fix,
        places=places,
        aws_text=rule.aws_text if aws_text is None else aws_text,
        source="boot",
    )


def locate(subject: Subject, path: str, line: int = 0) -> Place:
    """A place in the image, with its layer, or the name of what was started or sent."""
    return subject.place(path, line=line) if path.startswith("/") else Place(path=path, line=line)

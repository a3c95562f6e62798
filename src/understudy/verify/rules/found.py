"""Findings made from rules: what a case does not say for itself is the rule's."""

from collections.abc import Iterable

from understudy.verify.model import Finding, Place, Rule, Severity


def found(
    rule: Rule,
    message: str,
    places: Iterable[Place],
    *,
    fix: str = "",
    aws_text: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Returns a finding of `rule`; fix, text and severity are the rule's unless this case has its own."""
    return Finding(
        rule=rule.id,
        severity=severity or rule.severity,
        message=message,
        fix=fix or rule.fix,
        places=tuple(places),
        aws_text=rule.aws_text if aws_text is None else aws_text,
    )

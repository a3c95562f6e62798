"""Findings as people need them: one cause each, the most likely first, its consequences below it.

Pure. A wrong wheel, say, is found in its file, missed as a module and seen again by the boot; that is one
cause with one fix. Refuses to drop anything: what follows from a cause stays listed under it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.verify.model import Finding, Rule, Severity

# The handler's name differs between a prediction and what a boot printed; the rest is the fault itself.
_PREFIX = re.compile(r"^(?:Runtime\.\w+|\w+Error): (?:Unable to import module '[^']*': )?")
_MODULE = re.compile(r"No module named '([\w.]+)'")
_PATH = re.compile(r"/[\w./+-]+\.(?:so[\w.]*|pyd?)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause with what follows from it.

    Attributes:
        finding: the cause.
        rule: that it breaks.
        consequences: findings that its fix cures too, as far as can be told.
        reason: why the user allows it; empty when it counts.
    """

    finding: Finding
    rule: Rule
    consequences: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def severity(self) -> Severity:
        """The worst of the cause and of what follows from it."""
        return min((self.finding, *self.consequences), key=lambda one: one.severity.rank).severity

    @property
    def seen_by_boot(self) -> bool:
        """Whether a boot showed it as well."""
        return any(one.source == "boot" for one in (self.finding, *self.consequences))


def group(
    findings: Sequence[Finding], rules: Mapping[str, Rule], allowed: Mapping[str, str]
) -> tuple[Cause, ...]:
    """Returns the causes, those that count first, then by severity, then the most likely first.

    Args:
        findings: in any order.
        rules: by id, the most fundamental first; each finding's rule is in it.
        allowed: rule -> reason.
    """
    ranks = {rule: number for number, rule in enumerate(rules)}

    def likely(finding: Finding) -> tuple[int, int, int, str, str]:
        return (
            finding.severity.rank,
            finding.source == "boot",
            ranks[finding.rule],
            finding.places[0].path,
            finding.message,
        )

    heads: list[Finding] = []
    follow: dict[int, list[Finding]] = {}
    for finding in sorted(findings, key=likely):
        head = next((number for number, one in enumerate(heads) if _follows(finding, one)), None)
        if head is None:
            heads.append(finding)
        else:
            follow.setdefault(head, []).append(finding)
    causes = [
        Cause(
            finding=one,
            rule=rules[one.rule],
            consequences=tuple(follow.get(number, ())),
            reason=allowed.get(one.rule, ""),
        )
        for number, one in enumerate(heads)
    ]
    return tuple(sorted(causes, key=lambda cause: bool(cause.reason)))


def _follows(later: Finding, earlier: Finding) -> bool:
    """Whether curing `earlier` cures `later`, as far as their texts tell."""
    if later.severity is Severity.INFO or earlier.severity is Severity.INFO:
        return False
    if later.rule == earlier.rule and later.source == earlier.source:
        return False
    fault = _fault(earlier)
    if fault and fault == _fault(later):
        return True
    return later.source == "boot" and bool(_names(later) & _names(earlier))


def _fault(finding: Finding) -> str:
    """What AWS shows, without who was importing; empty when it shows nothing."""
    return _PREFIX.sub("", finding.aws_text.splitlines()[0]) if finding.aws_text else ""


def _names(finding: Finding) -> frozenset[str]:
    """The modules and files that a finding is about."""
    text = f"{finding.aws_text}\n{finding.message}"
    files = {place.path for place in finding.places if "." in place.path.rpartition("/")[2]}
    return frozenset({*_MODULE.findall(text), *_PATH.findall(text), *files})

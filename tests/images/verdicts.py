"""Holds a report against what its case expects; one message tells everything that differs."""

from tests.images.case import Case
from tests.images.workshop import above_info
from understudy.verify.model import Finding
from understudy.verify.report import Report


def check(case: Case, report: Report) -> None:
    """Fails unless `report` says exactly what `case` expects."""
    problems = [*_rules(case, report), *_texts(case, report), *_boot(case, report)]
    assert not problems, "\n".join((*problems, "findings:", *_shown(report)))


def _rules(case: Case, report: Report) -> list[str]:
    problems = []
    for source, found, wanted in (
        ("static", above_info(report, "static"), case.static),
        ("boot", above_info(report, "boot"), case.boot),
    ):
        got = {one.rule for one in found}
        if got != wanted:
            problems.append(f"{source}: {sorted(got)}, expected {sorted(wanted)}")
    if report.passed != case.passed:
        problems.append(f"passed: {report.passed}, expected {case.passed}")
    return problems


def _texts(case: Case, report: Report) -> list[str]:
    static, boot = above_info(report, "static"), above_info(report, "boot")
    problems = []
    if case.static and not _says(static, case.aws_text):
        problems.append(f"no finding of the files shows {case.aws_text!r}")
    if case.boot and not _says(boot, case.boot_text or case.aws_text):
        problems.append(f"no finding of the boot shows {case.boot_text or case.aws_text!r}")
    if case.fix and not any(case.fix in one.fix for one in (*static, *boot)):
        problems.append(f"no fix has {case.fix!r}")
    return problems


def _boot(case: Case, report: Report) -> list[str]:
    if case.skipped:
        return [] if case.skipped in report.boot_skipped else [f"boot skipped: {report.boot_skipped!r}"]
    if report.boot is None:
        return [f"boot skipped: {report.boot_skipped}"]
    if report.boot.passed is bool(case.boot) and not _only_may(report):
        return [f"boot passed: {report.boot.passed}"]
    return []


def _only_may(report: Report) -> bool:
    """Whether the boot found something that is no failure: then it may have passed."""
    return any(one.severity.rank > 0 for one in above_info(report, "boot"))


def _says(findings: list[Finding], text: str) -> bool:
    return any(text in one.aws_text for one in findings)


def _shown(report: Report) -> list[str]:
    return [
        f"  {one.source} {one.severity.value} {one.rule}: {one.message}\n"
        f"    AWS: {one.aws_text!r}\n    fix: {one.fix!r}"
        for one in report.findings
    ]

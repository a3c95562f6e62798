"""Reports for ``$GITHUB_STEP_SUMMARY`` and other places that show GitHub's Markdown.

Pure. Texts that come from an image are code, never markup.
"""

from collections.abc import Iterator, Sequence

from understudy.verify.causes import Cause
from understudy.verify.model import Severity
from understudy.verify.render import words
from understudy.verify.render.words import Locate, Verified
from understudy.verify.report import Report

_PLACES = 3
_MARKS = {
    Severity.FAILS: "❌",
    Severity.MAY_FAIL: "⚠️",
    Severity.SLOW: "🐢",
    Severity.INFO: "ℹ️",  # noqa: RUF001 - the sign itself
}


def render(verified: Sequence[Verified]) -> str:
    """The reports as one document."""
    return "\n".join(line for one in verified for line in _report(one.report, one.locate))


def _report(report: Report, locate: Locate) -> Iterator[str]:
    mark = "✅" if report.passed else "❌"
    yield f"### {mark} {_code(report.reference)}: {words.verdict(report)}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| image | {_cell(words.image_line(report))} |"
    yield f"| runs | {_cell(words.launch_line(report))} |"
    yield f"| boot | {_cell(words.boot_line(report))} |"
    yield f"| rules | {_cell(report.rule_set)} |"
    for one in report.disagreements:
        yield f"| ⚠️ | {_cell(one.text)}: believe the {one.believe} |"
    yield ""
    for cause in report.causes:
        yield from _cause(report, cause, locate)


def _cause(report: Report, cause: Cause, locate: Locate) -> Iterator[str]:
    finding = cause.finding
    meaning = words.MEANING[cause.severity]
    if cause.reason:
        meaning = f"allowed: {cause.reason}"
    elif words.is_overruled(report, cause):
        meaning = "overruled by the boot"
    yield f"#### {_MARKS[cause.severity]} `{finding.rule}` {cause.rule.title} ({_cell(meaning)})"
    yield ""
    yield _code(finding.message)
    yield ""
    if cause.severity is Severity.INFO or cause.reason:
        return
    yield f"{cause.rule.why} ([more]({cause.rule.link}))"
    yield ""
    if finding.aws_text:
        yield f"AWS shows: {_code(finding.aws_text.splitlines()[0])}"
        yield ""
    for path, origin in words.place_lines(finding, locate, _PLACES):
        yield f"- {_code(path)}" + (f" ({_code(origin)})" if origin else "")
    yield ""
    yield "**Fix**"
    yield ""
    yield words.fence(finding.fix)
    yield ""
    for one in cause.consequences:
        yield f"- also {_code(one.rule)}: {_code(one.message.splitlines()[0])}"
    if cause.consequences:
        yield ""


def _code(text: str) -> str:
    """Text that cannot be read as markup: a code span with longer quotes than it holds."""
    flat = " ".join(text.split())
    quotes = "`"
    while quotes in flat:
        quotes += "`"
    return f"{quotes} {flat} {quotes}" if "`" in flat else f"`{flat}`"


def _cell(text: str) -> str:
    return _code(text).replace("|", "\\|")

"""A report for people at a terminal: causes first, one fix each, the verdict last.

Pure: lines of styled spans, so that a terminal, a log and an error message show the same words.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.verify.causes import Cause
from understudy.verify.model import Severity
from understudy.verify.render import words
from understudy.verify.render.words import Locate, nowhere
from understudy.verify.report import Report

Style = Literal["plain", "bold", "dim", "fails", "may-fail", "slow", "info", "good"]

_MARKS: dict[Severity, tuple[str, Style]] = {
    Severity.FAILS: ("✗", "fails"),
    Severity.MAY_FAIL: ("!", "may-fail"),
    Severity.SLOW: ("~", "slow"),
    Severity.INFO: ("·", "info"),
}
_PLACES = 3
_LABEL = 8
_WIDTH = 100
_INSTRUCTION = 100
_ARROW = " -> "
_CHAIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some text in one style."""

    text: str
    style: Style = "plain"


Line = tuple[Span, ...]


def plain(report: Report, locate: Locate = nowhere) -> str:
    """The report as text without styles."""
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines(report, locate))


def causes(report: Report, locate: Locate = nowhere) -> str:
    """Only what keeps the image from starting, as text without styles: what an error message shows."""
    found = []
    for cause in report.causes:
        if any(one in report.failing for one in (cause.finding, *cause.consequences)):
            found += ["".join(span.text for span in line).rstrip() for line in _cause(report, cause, locate)]
    return "\n".join(found).strip("\n")


def lines(report: Report, locate: Locate = nowhere) -> Iterator[Line]:
    """Yields the whole report."""
    yield (Span(text=report.reference, style="bold"), Span(text=f"  {words.image_line(report)}"))
    yield (Span(text=words.launch_line(report), style="dim"),)
    for cause in report.causes:
        yield from _cause(report, cause, locate)
    yield ()
    yield from _boot(report)
    for one in report.disagreements:
        yield (Span(text="! ", style="may-fail"), Span(text=f"{one.text}: believe the {one.believe}"))
    yield _verdict(report)


def _cause(report: Report, cause: Cause, locate: Locate) -> Iterator[Line]:
    finding = cause.finding
    mark, style = _MARKS[cause.severity]
    meaning = words.MEANING[cause.severity]
    if cause.reason:
        mark, style, meaning = "-", "dim", f"allowed: {cause.reason}"
    elif words.is_overruled(report, cause):
        style, meaning = "may-fail", "overruled by the boot"
    yield ()
    yield (
        Span(text=f"{mark} {finding.rule}", style=style),
        Span(text=f"  {cause.rule.title}"),
        Span(text=f"  ({meaning})", style="dim"),
    )
    yield from _wrapped("", _steps(finding.message))
    if cause.severity is Severity.INFO or cause.reason:
        return
    if finding.aws_text:
        yield _labelled("AWS", finding.aws_text.splitlines()[0])
    yield from _wrapped("why", [cause.rule.why])
    for number, (path, origin) in enumerate(words.place_lines(finding, locate, _PLACES)):
        yield _labelled("" if number else "where", path)
        if origin:
            yield _labelled("", _shortened(origin), style="dim")
    for number, line in enumerate(finding.fix.splitlines()):
        yield _labelled("" if number else "fix", line, style="bold")
    yield _labelled("more", cause.rule.link, style="dim")
    yield from _consequences(cause)


def _consequences(cause: Cause) -> Iterator[Line]:
    for one in cause.consequences:
        who = "the boot" if one.source == "boot" else one.rule
        yield from _wrapped("also", _steps(f"{who}: {one.message.splitlines()[0]}"), style="dim")


def _boot(report: Report) -> Iterator[Line]:
    yield _labelled("boot", words.boot_line(report))
    if report.boot is None:
        return
    for label, text in report.boot.observations:
        yield _labelled("", f"{label}: {text}", style="dim")
    if report.boot.constraints:
        kept = ", ".join(one.partition(":")[0] for one in report.boot.constraints)
        yield _labelled("sandbox", f"Lambda's {kept}", style="dim")


def _verdict(report: Report) -> Line:
    took = f"static {report.seconds.static:.1f} s"
    if report.boot is not None:
        took += f", boot {report.seconds.boot:.1f} s"
    mark, style = ("✓ ", "good") if report.passed else ("✗ ", "fails")
    return (
        Span(text=mark + words.verdict(report), style=style),  # type: ignore[arg-type] # one of two literals
        Span(text=f"  (rules {report.rule_set}, {took})", style="dim"),
    )


def _labelled(label: str, text: str, *, style: Style = "plain") -> Line:
    return (Span(text=f"  {label:<{_LABEL}}", style="dim"), Span(text=text, style=style))


def _wrapped(label: str, paragraphs: Sequence[str], *, style: Style = "plain") -> Iterator[Line]:
    """Paragraphs that stay in their column; words are left whole, because paths are searched for."""
    for paragraph in paragraphs:
        indent = len(paragraph) - len(paragraph.lstrip())
        for line in textwrap.wrap(
            paragraph,
            _WIDTH,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            yield _labelled(label, line, style=style)
            label = ""


def _steps(message: str) -> list[str]:
    """A message with one line for each step of an import chain, the middle of a long one left out."""
    first, *rest = message.split(_ARROW)
    if len(rest) > _CHAIN:
        left_out = len(rest) - _CHAIN
        rest = [*rest[: _CHAIN // 2], f"{left_out} more", *rest[-(_CHAIN - _CHAIN // 2) :]]
    return [first, *(f"  -> {step}" for step in rest)]


def _shortened(origin: str) -> str:
    """An instruction may be a whole script; what counts are its first words, and the line to edit."""
    if len(origin) <= _INSTRUCTION:
        return origin
    head, separator, source = origin.rpartition(", ")
    if not separator or len(source) > _INSTRUCTION // 2:
        return origin[: _INSTRUCTION - 1] + "…"
    return f"{head[: _INSTRUCTION - len(source) - 4]}…, {source}"

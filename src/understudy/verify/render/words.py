"""The words that every output shares: what was verified, what it came to, where a finding is.

Pure. Refuses to format: that is each output's own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from understudy.verify.causes import Cause
from understudy.verify.model import Finding, Place, Severity
from understudy.verify.report import Report

MEANING = {
    Severity.FAILS: "fails on Lambda",
    Severity.MAY_FAIL: "may fail on Lambda",
    Severity.SLOW: "slow",
    Severity.INFO: "information",
}

_DIGEST = len("sha256:") + 12
_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A line of a file that people edit; line 0 means the whole file."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


Locate = Callable[[Place], Source | None]
"""Finds what people edit from a place in an image."""


def nowhere(_: Place) -> Source | None:
    """Locates nothing: the image was not built from files that are known here."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A report, and what belongs to it.

    Attributes:
        report: of one image.
        locate: finds what people edit.
        proof: digest of the proof that was written; empty for none.
    """

    report: Report
    locate: Locate = nowhere
    proof: str = ""


def short(digest: str) -> str:
    """A digest at the length that people compare."""
    return digest[:_DIGEST]


def image_line(report: Report) -> str:
    """What was verified."""
    sizes = f"{report.size_bytes / _MB:.0f} MB, {report.uncompressed_bytes / _MB:.0f} MB unpacked"
    return f"{short(report.digest)}, {report.architecture}, {sizes}, {report.base}"


def launch_line(report: Report) -> str:
    """How it is run."""
    launch = report.launch
    words = " ".join((*launch.entrypoint, *launch.command)) or "nothing to run"
    name = f"function {launch.function_name}: " if launch.function_name else ""
    return f"{name}{words} in {launch.working_dir}, {launch.memory_mb} MB, {launch.timeout_s:g} s"


def boot_line(report: Report) -> str:
    """What the boot measured, or why there was none."""
    boot = report.boot
    if boot is None:
        return f"static only: {report.boot_skipped}" if report.boot_skipped else "static only"
    if boot.init_ms is None:
        return "it never asked for an event"
    parts = [f"init {boot.init_ms:.0f} ms"]
    if boot.first_request_ms is not None:
        parts.append(f"first request {boot.first_request_ms:.0f} ms")
    if boot.second_request_ms is not None:
        parts.append(f"second {boot.second_request_ms:.1f} ms")
    if boot.peak_memory_mb:
        parts.append(f"peak {boot.peak_memory_mb:.0f} of {report.launch.memory_mb} MB")
    return ", ".join(parts)


def verdict(report: Report) -> str:
    """The one line that a hurried reader needs."""
    if report.passed:
        counted = [cause for cause in report.causes if not cause.reason and not is_overruled(report, cause)]
        may = sum(cause.severity is Severity.MAY_FAIL for cause in counted)
        slow = sum(cause.severity is Severity.SLOW for cause in counted)
        notes = [f"{may} that may fail"] if may else []
        notes += [f"{slow} that cost time"] if slow else []
        proven = report.boot is not None and report.conclusive
        how = "starts on Lambda" if proven else "nothing keeps it from starting on Lambda"
        return how + (f", {' and '.join(notes)}" if notes else "")
    failing = [
        cause.finding.rule
        for cause in report.causes
        if any(one in report.failing for one in (cause.finding, *cause.consequences))
    ]
    if not failing:
        return "fails on Lambda: the boot failed"
    more = f" and {len(failing) - 1} more" if len(failing) > 1 else ""
    return f"fails on Lambda: {failing[0]}{more}"


def is_overruled(report: Report, cause: Cause) -> bool:
    """Whether the boot did what this cause says cannot be done."""
    return any(one.rule == cause.finding.rule and one.believe == "boot" for one in report.disagreements) and (
        report.boot is not None and report.boot.passed
    )


def place_lines(finding: Finding, locate: Locate, limit: int) -> list[tuple[str, str]]:
    """The places of a finding, at most `limit`: the file, and where it came from (empty when unknown)."""
    found = []
    for place in finding.places[:limit]:
        path = f"{place.path}:{place.line}" if place.line else place.path
        found.append((path, origin(place, locate(place))))
    rest = len(finding.places) - limit
    if rest > 0:
        found.append((f"and {rest} more", ""))
    return found


def origin(place: Place, source: Source | None) -> str:
    """The layer and the instruction that brought a file, and the line that people edit."""
    parts = []
    if place.layer >= 0:
        parts.append(f"layer {place.layer} {short(place.layer_digest)}".rstrip())
    if place.instruction:
        parts.append(place.instruction)
    if source is not None:
        parts.append(str(source))
    return ", ".join(parts)


def fence(text: str) -> str:
    """Text as a Markdown block that it cannot end by itself."""
    marks = "```"
    while marks in text:
        marks += "`"
    return f"{marks}\n{text}\n{marks}"

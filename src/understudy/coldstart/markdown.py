"""A report as Markdown, for the summary of a CI job; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.coldstart import beside, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.coldstart.model import Deployed, Report, Series

_FIGURES = (("init", "init_ms"), ("1st request", "first_ms"), ("2nd request", "second_ms"))


def lines(report: Report) -> Iterator[str]:
    """Yields the document."""
    yield f"### Cold start of {report.image}"
    yield ""
    for verdict in report.verdicts:
        yield f"- {'✅' if verdict.passed else '❌'} {verdict.name}: {_cell(verdict.detail)}"
    if report.verdicts:
        yield ""
    yield "| | median | p90 | min | max |"
    yield "|---|---:|---:|---:|---:|"
    for series in report.series:
        yield from _series(series, text.condition(series.condition))
    if report.calibration is not None:
        yield from _series(report.calibration, "an empty handler on this base")
    yield ""
    yield f"Milliseconds of {report.event}; {text.BANNER}. `{report.digest}`, {_host(report)}"
    if report.deployed is not None:
        yield from _deployed(report, report.deployed)
    for number, one in enumerate(report.suggestions, 1):
        if number == 1:
            yield ""
        yield f"{number}. {one.gain}: {_cell(one.what)}; {_cell(one.fix)}"
    for note in report.notes:
        yield f"\n> {_cell(note)}"


def _series(series: Series, name: str) -> Iterator[str]:
    for label, figure in _FIGURES:
        spread = series.spread(figure)
        values = (spread.median, spread.p90, spread.low, spread.high)
        yield f"| {label}, {name} | " + " | ".join(f"{value:.1f}" for value in values) + " |"


def _deployed(report: Report, deployed: Deployed) -> Iterator[str]:
    yield ""
    yield f"| | sandbox | {deployed.target} | ratio |"
    yield "|---|---:|---:|---:|"
    for row in beside.rows(report, deployed):
        yield f"| {row.name}, {row.unit} | {row.here:.1f} | {row.there:.1f} | {row.ratio:.2f} |"


def _host(report: Report) -> str:
    on = f", on the stand-in for {report.stand_in_for}" if report.stand_in_for else ""
    return f"{report.host.processors} x {_cell(report.host.model)}{on}"


def _cell(words: str) -> str:
    """Text of the image's that cannot end a line or a cell, or become markup."""
    plain = " ".join(words.split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")

"""A report for people at a terminal; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.coldstart.comparison import SIGNIFICANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.coldstart.comparison import Comparison
    from understudy.coldstart.model import Condition, Report, Series, Touched, Tried
    from understudy.coldstart.watched import Profile, Suggestion

_BAR = 32
_ROWS = 8
BANNER = "ratios, not AWS milliseconds: block loading, placement and network attachment are not measured"
_FIGURES = (("init", "init_ms"), ("1st request", "first_ms"), ("2nd request", "second_ms"))


def lines(report: Report) -> Iterator[str]:
    """Yields the whole report."""
    function = f", function {report.function}" if report.function else ""
    yield f"{report.image} {report.digest[:19]}{function}, {report.event}"
    host = report.host
    yield f"{host.processors} x {host.model}, {host.kernel}"
    yield BANNER
    if report.stand_in_for:
        yield f"on the stand-in for {report.stand_in_for}"
    yield ""
    yield f"{'':<34}{'median':>9}{'p90':>9}{'min':>9}{'max':>9}   ms"
    for series in report.series:
        yield from _series(series, condition(series.condition))
    if len({one.condition.memory_mb for one in report.series}) > 1:
        best = min(report.series, key=lambda one: one.usd_per_million)
        told = f"{best.condition.memory_mb} MB, {best.usd_per_million:.2f} USD for a million cold starts"
        yield f"cheapest: {told} with their first requests"
    if report.calibration is not None:
        yield from _series(report.calibration, "an empty handler on this base")
    if report.profile is not None:
        yield from _profile(report.profile, report.overhead_ms)
    if report.touched is not None:
        yield from _touched(report.touched)
    yield from _advice(report.suggestions)
    yield from _tried(report.tried)
    for note in report.notes:
        yield f"! {note}"
    for verdict in report.verdicts:
        yield f"{'passed' if verdict.passed else 'failed'} {verdict.name}: {verdict.detail}"


def condition(of: Condition) -> str:
    """A condition in words."""
    words = [f"{of.memory_mb} MB"]
    if of.cache == "dropped":
        words.append("files not cached")
    if of.throttled_init:
        words.append("init throttled")
    return ", ".join(words)


def compared(found: Comparison) -> Iterator[str]:
    """Yields what changed from one report to another."""
    for one in found.figures:
        sign = "faster" if one.change < 0 else "slower"
        verdict = f"{abs(one.change):.0%} {sign}" if one.significant else "no difference that can be told"
        yield (
            f"{one.name:<12}{one.before.median:>9.1f} -> {one.after.median:.1f} ms   {verdict}"
            f"   (p = {one.p_value:.3f})"
        )
    for name, before, after in found.distributions:
        yield f"  {name:<28}{before:>8.1f} -> {after:.1f} ms"


def _series(series: Series, name: str) -> Iterator[str]:
    yield f"{name}, {len(series.samples)} cold starts"
    for label, figure in _FIGURES:
        spread = series.spread(figure)
        values = (spread.median, spread.p90, spread.low, spread.high)
        yield f"  {label:<32}" + "".join(f"{value:>9.1f}" for value in values)
    peak = series.spread("peak_mb").median
    yield f"  {'peak memory':<32}{peak:>9.1f} MB of {series.condition.memory_mb}"


def _profile(profile: Profile, overhead_ms: float) -> Iterator[str]:
    yield ""
    yield (
        f"where {profile.init_ms:.0f} ms of init went, in a run that was watched "
        f"({overhead_ms:+.0f} ms against the median above); {profile.named_share:.0%} has a name"
    )
    for phase in profile.phases:
        yield _bar(phase.name, phase.ms, profile.init_ms)
    yield ""
    yield "imports by distribution"
    shown = list(profile.distributions.items())[:_ROWS]
    for name, ms in shown:
        yield _bar(name, ms, profile.init_ms)
    yield ""
    yield f"{'dearest modules':<36}{'self':>8}{'total':>9}   imported by"
    for one in profile.modules[:_ROWS]:
        yield f"  {one.name[:33]:<34}{one.self_ms:>8.1f}{one.total_ms:>9.1f}   {one.imported_by}"
    yield ""
    yield (
        f"of it: {profile.models} pydantic models {profile.models_ms:.0f} ms, "
        f"shared libraries {profile.linked_ms:.0f} ms, bytecode made {profile.compiled_ms:.0f} ms, "
        f"AWS clients {sum(one.ms for one in profile.clients):.0f} ms"
    )
    if profile.network:
        yield f"! network before the first request: {'; '.join(profile.network)}"
    if profile.first_request:
        yield ""
        yield f"{'the first request':<36}{'itself':>8}{'total':>9}   ms"
    for step in profile.first_request:
        name = "  " * step.depth + (step.name if step.kind == "step" else f"{step.kind} {step.name}")
        yield f"  {name[:33]:<34}{step.self_ms:>8.1f}{step.ms:>9.1f}"


def _touched(touched: Touched) -> Iterator[str]:
    share = touched.touched_bytes / touched.size_bytes if touched.size_bytes else 0.0
    yield ""
    yield (
        f"read until /next: {touched.touched_bytes / 1e6:.1f} of {touched.size_bytes / 1e6:.0f} MB "
        f"({share:.0%}), {touched.files} files, {touched.blocks} blocks of 512 KiB"
    )
    for number, layer in enumerate(touched.layers, 1):
        yield (
            f"  layer {number:<3}{layer.touched_bytes / 1e6:>8.1f} of {layer.size_bytes / 1e6:>6.1f} MB"
            f"{layer.files:>7} files{layer.blocks:>6} blocks"
        )


def _advice(suggestions: tuple[Suggestion, ...]) -> Iterator[str]:
    if suggestions:
        yield ""
        yield "to make it shorter, the most worthwhile first"
    for number, one in enumerate(suggestions, 1):
        yield f"{number:>3}. {one.gain}: {one.what}"
        yield f"     {one.fix}"
        if one.where:
            yield f"     {one.where}"


def _tried(tried: tuple[Tried, ...]) -> Iterator[str]:
    if tried:
        yield ""
        yield "tried on a scratch copy, beside the image as it is"
    for one in tried:
        if one.series is None:
            yield f"  {one.change}: {one.problem}"
            continue
        told = "saves" if one.saves_ms > 0 else "costs"
        predicted = f", predicted {one.predicted_ms:.0f} ms" if one.predicted_ms is not None else ""
        certain = "" if one.p_value < SIGNIFICANT else ", which may be chance"
        saving = f"{told} {abs(one.saves_ms):.0f} ms of init{predicted}"
        yield f"  {one.change}: {saving} (p = {one.p_value:.3f}){certain}"


def _bar(name: str, ms: float, whole_ms: float) -> str:
    share = ms / whole_ms if whole_ms else 0.0
    return f"  {name[:33]:<34}{ms:>8.1f}  {'█' * round(share * _BAR):<{_BAR}} {share:>4.0%}"

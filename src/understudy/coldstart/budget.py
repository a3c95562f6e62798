"""What a project allows its cold starts to cost, and whether a report keeps to it; pure.

A cold start is what its caller waits for: init and the first request. What chance may explain breaks no
budget, and figures of another machine, event or condition are no measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart import comparison
from understudy.coldstart.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.coldstart.model import Report, Series

_LIMIT = "cold start"
_REGRESSION = "cold start, before and after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is allowed.

    Attributes:
        limit_ms: longest median; `None` for any.
        regression: by what share the median may grow over an accepted one; `None` for any.
    """

    limit_ms: float | None = None
    regression: float | None = None


def check(budget: Budget, report: Report, before: Report | None) -> tuple[Verdict, ...]:
    """What the budget says about the headline's series.

    Args:
        budget: of the image.
        report: that is judged.
        before: that it is held against; `None` when none was accepted.
    """
    return tuple(_verdicts(budget, report, before))


def _verdicts(budget: Budget, report: Report, before: Report | None) -> Iterator[Verdict]:
    after_ms = report.series[0].spread("total_ms").median
    if budget.limit_ms is not None:
        detail = f"{_seconds(after_ms)}, limit {_seconds(budget.limit_ms)}"
        yield Verdict(name=_LIMIT, passed=after_ms <= budget.limit_ms, detail=detail)
    if budget.regression is None:
        return
    reason = "no digest was accepted yet" if before is None else _incomparable(before, report)
    if before is None or reason:
        yield Verdict(name=_REGRESSION, passed=True, detail=f"not compared: {reason}")
        return
    before_ms = before.series[0].spread("total_ms").median
    p_value = comparison.p_value(_totals(before.series[0]), _totals(report.series[0]))
    is_over = after_ms > before_ms * (1 + budget.regression)
    detail = (
        f"{_seconds(before_ms)} ({before.digest[:19]}) -> {_seconds(after_ms)}, "
        f"{after_ms / before_ms - 1:+.0%} (p = {p_value:.3f}), limit +{budget.regression:.0%}"
    )
    passed = not (is_over and p_value < comparison.SIGNIFICANT)
    yield Verdict(name=_REGRESSION, passed=passed, detail=detail, is_suspect=is_over)


def _incomparable(before: Report, after: Report) -> str:
    """Why two reports say nothing about each other; empty when they do."""
    if before.digest == after.digest:
        return "it is the accepted digest itself"
    for name, first, second in (
        ("machine", before.host, after.host),
        ("function", before.function, after.function),
        ("event", before.event, after.event),
        ("condition", before.series[0].condition, after.series[0].condition),
        ("base image", before.stand_in_for, after.stand_in_for),
    ):
        if first != second:
            return f"{before.digest[:19]} was measured with another {name}"
    return ""


def _totals(series: Series) -> list[float]:
    return [one.total_ms for one in series.samples]


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.2f} s"

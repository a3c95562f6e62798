"""Cold starts in the sandbox beside those of the same image on a target; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.coldstart.model import Deployed, Report

_FIGURES = (
    ("init", "init_ms", "ms"),
    ("1st request", "first_ms", "ms"),
    ("2nd request", "second_ms", "ms"),
    ("peak memory", "peak_mb", "MB"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure in both places.

    Attributes:
        name: of the figure.
        here: median in the sandbox.
        there: median on the target.
        unit: of both.
    """

    name: str
    here: float
    there: float
    unit: str

    @property
    def ratio(self) -> float:
        """How many times the sandbox's figure the target's is; 0 where the sandbox's is 0."""
        return self.there / self.here if self.here else 0.0


def rows(report: Report, deployed: Deployed) -> tuple[Row, ...]:
    """Every figure that REPORT lines tell, beside the sandbox's series of the function's own memory size."""
    memory_mb = deployed.series.condition.memory_mb
    here = next((one for one in report.series if one.condition.memory_mb == memory_mb), report.series[0])
    return tuple(
        Row(
            name=name,
            here=here.spread(figure).median,
            there=deployed.series.spread(figure).median,
            unit=unit,
        )
        for name, figure, unit in _FIGURES
    )


def lines(report: Report, deployed: Deployed) -> Iterator[str]:
    """Yields the table for people at a terminal."""
    series = deployed.series
    yield ""
    yield (
        f"{deployed.function} on {deployed.target}, {series.condition.memory_mb} MB, "
        f"{len(series.samples)} cold starts of scratch versions; medians"
    )
    yield f"  {'':<32}{'sandbox':>10}{deployed.target[:12]:>13}{'ratio':>8}"
    for row in rows(report, deployed):
        yield f"  {row.name:<32}{row.here:>10.1f}{row.there:>13.1f}{row.ratio:>8.2f}   {row.unit}"
    errors = sorted({one.error for one in series.samples if one.error})
    if errors:
        yield f"! {report.event} fails there with {', '.join(errors)}"

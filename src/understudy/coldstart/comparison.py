"""Whether one report's cold starts are faster than another's, or whether that cannot be told; pure.

The test is Mann and Whitney's, which asks nothing of the distribution: cold starts have long tails.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from understudy.coldstart.model import Report, Spread

SIGNIFICANT = 0.05
_ROWS = 8
_LEAST_MS = 1.0
_FIGURES = (("init", "init_ms"), ("1st request", "first_ms"), ("2nd request", "second_ms"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of two reports.

    Attributes:
        name: of the figure.
        before: of the first report, ms.
        after: of the second, ms.
        p_value: how likely such a difference is where there is none.
    """

    name: str
    before: Spread
    after: Spread
    p_value: float

    @property
    def change(self) -> float:
        """Of the median, as a share of what it was; negative is faster."""
        return self.after.median / self.before.median - 1

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance."""
        return self.p_value < SIGNIFICANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two reports, the headline's series of each.

    Attributes:
        figures: init, first and second request.
        distributions: name, ms before, ms after, where it changed most.
    """

    figures: tuple[Compared, ...]
    distributions: tuple[tuple[str, float, float], ...] = ()


def compare(before: Report, after: Report) -> Comparison:
    """What changed."""
    first, second = before.series[0], after.series[0]
    return Comparison(
        figures=tuple(
            Compared(
                name=name,
                before=first.spread(figure),
                after=second.spread(figure),
                p_value=p_value(
                    [getattr(one, figure) for one in first.samples],
                    [getattr(one, figure) for one in second.samples],
                ),
            )
            for name, figure in _FIGURES
        ),
        distributions=_distributions(before, after),
    )


def p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """How likely two samples as far apart as these are under one distribution (Mann-Whitney U, two-sided).

    By the normal approximation with ties and continuity corrected, which is fair from about eight values.
    """
    count, other = len(first), len(second)
    together = sorted([*first, *second])
    ranks = {value: together.index(value) + (times + 1) / 2 for value, times in Counter(together).items()}
    u = sum(ranks[value] for value in first) - count * (count + 1) / 2
    whole = count + other
    ties = sum(times**3 - times for times in Counter(together).values())
    variance = count * other / 12 * ((whole + 1) - ties / (whole * (whole - 1)))
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(u - count * other / 2) - 0.5) / math.sqrt(variance)
    return 2 * (1 - statistics.NormalDist().cdf(z))


def _distributions(before: Report, after: Report) -> tuple[tuple[str, float, float], ...]:
    if before.profile is None or after.profile is None:
        return ()
    old, new = before.profile.distributions, after.profile.distributions
    changed = [
        (name, old.get(name, 0.0), new.get(name, 0.0))
        for name in {*old, *new}
        if abs(old.get(name, 0.0) - new.get(name, 0.0)) >= _LEAST_MS
    ]
    return tuple(sorted(changed, key=lambda one: -abs(one[1] - one[2]))[:_ROWS])

"""The system's clock, and waiting on conditions with it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from understudy.errors import UnderstudyError
from understudy.reconcile.model import Clock

T = TypeVar("T")

_FIRST_S = 0.01
_LONGEST_S = 2.0
_GROWTH = 1.6


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Real time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Returns after that time."""
        time.sleep(seconds)


def until(probe: Callable[[], T | None], *, what: str, clock: Clock, budget_s: float = 300.0) -> T:
    """The first value that `probe` returns; asked quickly first, then ever more slowly.

    Raises:
        UnderstudyError: nothing came within the budget.
    """
    deadline = clock.now() + budget_s
    pause = _FIRST_S
    while True:
        found = probe()
        if found is not None:
            return found
        if clock.now() >= deadline:
            raise UnderstudyError(
                "wait-timeout",
                f"{what} did not happen within {budget_s:g} s",
                hint="run the same command again: apply continues where it stopped",
                retryable=True,
            )
        clock.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST_S)

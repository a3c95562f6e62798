"""What all pools of environments share: the places on this machine, and the turns to start on its CPUs.

Environments that start at the same time slow each other down, so as many start at once as there are CPUs and
the others wait for their turn. A turn lasts a second at most: an environment that takes longer is more likely
to wait for something than to compute, and others must not wait for it.
"""

import asyncio
import os
from collections import deque
from typing import Protocol

from understudy.engine.functions import errors
from understudy.engine.functions.background import Background

TURN_S = 1.0


class Sharer(Protocol):
    """What is needed of a pool."""

    @property
    def idle(self) -> int:
        """How many environments wait for a request."""
        ...

    @property
    def oldest_idle(self) -> float:
        """The loop time since which the least recently used environment is idle."""
        ...

    def drop_oldest(self) -> None:
        """Ends the environment that has been idle for longest and frees its place at once."""
        ...

    def start_one(self) -> None:
        """It is this pool's turn to start an environment; it calls `Budget.started` when that is done."""
        ...


class Turn:
    """One environment's time on the CPUs; ends once, by itself or by the clock."""

    def __init__(self, budget: "Budget") -> None:
        self._budget: Budget | None = budget
        self._timer = asyncio.get_running_loop().call_later(budget.turn_s, self.end)

    def end(self) -> None:
        """Lets the next one start; a second call does nothing."""
        budget, self._budget = self._budget, None
        if budget is not None:
            self._timer.cancel()
            budget.turn_ended()


class Budget:
    """The places and turns for environments on this machine.

    Args:
        places: how many environments there may be, starting ones and promised ones included.
        background: runs what nobody waits for.
        starts_at_once: how many may start at the same time; as many as CPUs by default.
        turn_s: when a start stops to count.
    """

    def __init__(
        self,
        places: int,
        background: Background,
        *,
        starts_at_once: int | None = None,
        turn_s: float = TURN_S,
    ) -> None:
        self.places = places
        self.background = background
        self.turn_s = turn_s
        self.used = 0
        self.pools: set[Sharer] = set()
        self._starts_at_once = starts_at_once or os.cpu_count() or 1
        self._turns = 0
        self._queue: deque[Sharer] = deque()

    def take(self) -> None:
        """Takes a place, if need be that of the environment idle for longest.

        Raises:
            ApiError: every place is busy.
        """
        if self.used >= self.places:
            oldest = min((pool for pool in self.pools if pool.idle), key=_oldest, default=None)
            if oldest is None:
                raise errors.throttled("ConcurrentInvocationLimitExceeded")
            oldest.drop_oldest()
        self.used += 1

    def give_back(self) -> None:
        """Returns a place."""
        self.used -= 1

    def turn(self) -> Turn:
        """A turn out of turn: it counts, but waits for nobody."""
        self._turns += 1
        return Turn(self)

    def queue(self, pool: Sharer) -> None:
        """Calls `pool.start_one` when it is its turn, at once if nobody is before it."""
        self._queue.append(pool)
        self._next()

    def withdraw(self, pool: Sharer) -> None:
        """Takes back the last `queue` of `pool` that had no turn yet."""
        self._queue.reverse()
        self._queue.remove(pool)
        self._queue.reverse()

    def turn_ended(self) -> None:
        """Called by a turn."""
        self._turns -= 1
        self._next()

    def _next(self) -> None:
        while self._queue and self._turns < self._starts_at_once:
            self._queue.popleft().start_one()


def _oldest(pool: Sharer) -> float:
    return pool.oldest_idle

"""Execution environments of one version: one request at a time each, the most recently used one first.

Scales out when all are busy, shuts idle ones down, and takes its places from one `Budget` that all pools
share, so that a laptop is not filled with environments: a pool in need takes the place of the environment
that has been idle longest anywhere. Refuses to know Lambda's concurrency limits: `concurrency` does.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from understudy.engine.functions import errors
from understudy.engine.functions.background import Background
from understudy.sandbox.model import InvokeRequest, InvokeResult


class Environment(Protocol):
    """What a pool needs of `sandbox.environment.ExecutionEnvironment`."""

    @property
    def state(self) -> str:
        """``starting``, ``idle``, ``busy`` or ``dead``."""
        ...

    async def start(self) -> None:
        """Spawns the process; its init phase goes on in the background."""
        ...

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs one request."""
        ...

    async def shutdown(self) -> None:
        """Ends the process and everything that belongs to it."""
        ...


@dataclass(slots=True, eq=False)
class _Slot:
    """An environment with the task that starts it and the moment it became idle."""

    environment: Environment
    starting: asyncio.Task[None] | None
    idle_since: float = 0.0


class Budget:
    """The places for environments on this machine, shared by every pool."""

    def __init__(self, places: int, background: Background) -> None:
        self.places = places
        self.background = background
        self.used = 0
        self.pools: set[Pool] = set()

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


class Pool:
    """The environments of one version with one content."""

    def __init__(self, make: Callable[[], Environment], budget: Budget, *, idle_s: float) -> None:
        self._make = make
        self._budget = budget
        self._idle_s = idle_s
        self._idle: list[_Slot] = []
        self._busy = 0
        self._retired = False
        self._timer: asyncio.TimerHandle | None = None
        budget.pools.add(self)

    @property
    def idle(self) -> int:
        """How many environments wait for a request."""
        return len(self._idle)

    @property
    def size(self) -> int:
        """How many environments there are."""
        return len(self._idle) + self._busy

    @property
    def oldest_idle(self) -> float:
        """The loop time since which the least recently used environment is idle."""
        return self._idle[0].idle_since

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs `request` in a free environment, or in a new one.

        Raises:
            ApiError: there is no place for another environment.
        """
        slot = self._alive() or self._new()
        self._busy += 1
        try:
            if slot.starting is not None:
                await slot.starting
                slot.starting = None
            return await slot.environment.invoke(request)
        except BaseException:
            self._retire_slot(slot)
            raise
        finally:
            self._busy -= 1
            self._give_back(slot)

    def prewarm(self) -> None:
        """Starts one environment when there is none, so that the next request finds it under way.

        Lambda does the same at times ("proactive initialization") and keeps AWS_LAMBDA_INITIALIZATION_TYPE at
        on-demand: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
        """
        if self.size or self._retired or self._budget.used >= self._budget.places:
            return
        slot = self._new()
        self._park(slot)
        self._budget.background.spawn(self._watch(slot))

    def retire(self) -> None:
        """Takes no more part in scaling: idle environments end now, busy ones after their request."""
        if self._retired:
            return
        self._retired = True
        self._budget.pools.discard(self)
        self._stop_timer()
        while self._idle:
            self.drop_oldest()

    def drop_oldest(self) -> None:
        """Ends the environment that has been idle for longest and frees its place at once."""
        self._retire_slot(self._idle.pop(0))

    def _alive(self) -> _Slot | None:
        while self._idle:
            slot = self._idle.pop()
            if slot.environment.state != "dead":
                return slot
            self._retire_slot(slot)
        return None

    def _new(self) -> _Slot:
        self._budget.take()
        try:
            environment = self._make()
        except BaseException:
            self._budget.give_back()
            raise
        return _Slot(environment, self._budget.background.spawn(environment.start()))

    async def _watch(self, slot: _Slot) -> None:
        if slot.starting is None:
            return
        await asyncio.wait([slot.starting])
        if slot in self._idle and slot.starting.exception() is not None:
            self._idle.remove(slot)
            self._retire_slot(slot)

    def _give_back(self, slot: _Slot) -> None:
        if slot.idle_since == _GONE:
            return
        if self._retired or slot.environment.state == "dead":
            self._retire_slot(slot)
        else:
            self._park(slot)

    def _park(self, slot: _Slot) -> None:
        slot.idle_since = asyncio.get_running_loop().time()
        self._idle.append(slot)
        if self._timer is None:
            self._arm()

    def _retire_slot(self, slot: _Slot) -> None:
        if slot.idle_since != _GONE:
            slot.idle_since = _GONE
            self._budget.give_back()
            self._budget.background.spawn(_end(slot))

    def _arm(self) -> None:
        due = self._idle[0].idle_since + self._idle_s
        self._timer = asyncio.get_running_loop().call_at(due, self._recycle)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _recycle(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._idle and self._idle[0].idle_since + self._idle_s <= now:
            self.drop_oldest()
        if self._idle:
            self._arm()


_GONE = float("-inf")


def _oldest(pool: Pool) -> float:
    return pool.oldest_idle


async def _end(slot: _Slot) -> None:
    if slot.starting is not None:
        await asyncio.wait([slot.starting])
    await slot.environment.shutdown()

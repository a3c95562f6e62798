"""Execution environments of one version: one request at a time each, the most recently used one first.

A request that finds no free environment has one started and waits in line; whichever environment is free
first, new or used, serves the request that has waited longest. Environments end when they were idle for long.
Places and turns come from one `Budget` that all pools share. Refuses to know Lambda's concurrency limits:
`concurrency` does.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from understudy.engine.functions.budget import Budget, Turn
from understudy.errors import UnderstudyError
from understudy.sandbox.model import InvokeRequest, InvokeResult
from understudy.sandbox.reports import InitReport


class Environment(Protocol):
    """What a pool needs of `sandbox.environment.ExecutionEnvironment`."""

    @property
    def state(self) -> str:
        """``starting``, ``idle``, ``busy`` or ``dead``."""
        ...

    async def start(self) -> None:
        """Spawns the process; its init phase goes on in the background."""
        ...

    async def ready(self) -> InitReport:
        """Waits for the end of the init phase and returns how it went; the first request tries again."""
        ...

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs one request."""
        ...

    async def shutdown(self) -> None:
        """Ends the process and everything that belongs to it."""
        ...


@dataclass(slots=True, eq=False)
class _Slot:
    """An environment with the task that spawns it and the moment it became idle."""

    environment: Environment
    spawning: asyncio.Task[None]
    idle_since: float = 0.0

    @property
    def gone(self) -> bool:
        return self.idle_since == _GONE


class Pool:
    """The environments of one version with one content."""

    def __init__(self, make: Callable[[], Environment], budget: Budget, *, idle_s: float) -> None:
        self._make = make
        self._budget = budget
        self._idle_s = idle_s
        self._idle: list[_Slot] = []
        self._busy = 0
        self._starting: list[_Slot] = []
        self._queued = 0
        self._waiting: deque[asyncio.Future[_Slot]] = deque()
        self._retired = False
        self._timer: asyncio.TimerHandle | None = None
        budget.pools.add(self)

    @property
    def idle(self) -> int:
        """How many environments wait for a request."""
        return len(self._idle)

    @property
    def size(self) -> int:
        """How many environments there are, those about to start included."""
        return len(self._idle) + self._busy + len(self._starting) + self._queued

    @property
    def oldest_idle(self) -> float:
        """The loop time since which the least recently used environment is idle."""
        return self._idle[0].idle_since

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs `request` in the first environment that is free for it.

        Raises:
            ApiError: there is no place for another environment.
        """
        slot = self._free() or await self._wait()
        try:
            return await slot.environment.invoke(request)
        except BaseException:
            self._retire_slot(slot)
            raise
        finally:
            self._release(slot)

    def prewarm(self) -> None:
        """Starts one environment when there is none, so that the next request finds it under way.

        Lambda does the same at times ("proactive initialization") and keeps AWS_LAMBDA_INITIALIZATION_TYPE at
        on-demand: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
        """
        if self.size or self._retired or self._budget.used >= self._budget.places:
            return
        self._budget.take()
        self._queued += 1
        self.start_one()

    def retire(self) -> None:
        """Takes no more part in scaling: idle environments end now, the others when nobody waits for them."""
        if self._retired:
            return
        self._retired = True
        self._budget.pools.discard(self)
        self._stop_timer()
        while self._idle:
            self.drop_oldest()
        self._trim()

    def drop_oldest(self) -> None:
        """Ends the environment that has been idle for longest and frees its place at once."""
        self._retire_slot(self._idle.pop(0))

    def start_one(self) -> None:
        """Starts one of the environments that requests wait for; called when it is this pool's turn."""
        self._queued -= 1
        turn = self._budget.turn()
        try:
            environment = self._make()
        except BaseException as error:
            turn.end()
            self._budget.give_back()
            self._fail_oldest(error)
            if isinstance(error, UnderstudyError):
                return
            raise
        slot = _Slot(environment, self._budget.background.spawn(environment.start()))
        self._starting.append(slot)
        self._budget.background.spawn(self._bring_up(slot, turn))

    async def _bring_up(self, slot: _Slot, turn: Turn) -> None:
        """Sees an environment through its init phase and to its first request."""
        spawned = await _outcome(slot.spawning)
        if spawned is None:
            spawned = await _outcome(self._budget.background.spawn(_ready(slot.environment)))
        if spawned is None and slot.environment.state == "dead":
            spawned = _lost()
        if slot in self._starting:
            self._starting.remove(slot)
            if spawned is None:
                self._busy += 1
                self._release(slot)
            else:
                self._retire_slot(slot)
                self._fail_oldest(spawned)
        turn.end()

    def _free(self) -> _Slot | None:
        while self._idle:
            slot = self._idle.pop()
            if slot.environment.state != "dead":
                self._busy += 1
                return slot
            self._retire_slot(slot)
        return None

    async def _wait(self) -> _Slot:
        """The environment that is free when this request is the first in line.

        Each request in line stands for an environment on its way, so that it can be told at once when there
        is no place for one.
        """
        wanted = self._queued + len(self._starting) <= len(self._waiting)
        if wanted:
            self._budget.take()
        found: asyncio.Future[_Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append(found)
        try:
            if wanted:
                self._queued += 1
                self._budget.queue(self)
            return await found
        except BaseException:
            self._leave(found)
            raise

    def _leave(self, found: asyncio.Future[_Slot]) -> None:
        """Takes a request out of the line that gave up or got an error."""
        if found in self._waiting:
            self._waiting.remove(found)
            self._trim()
        elif not found.cancelled() and found.exception() is None:
            self._release(found.result())

    def _first(self) -> asyncio.Future[_Slot] | None:
        """The request that has waited longest, which is then no more in line."""
        while self._waiting:
            found = self._waiting.popleft()
            if not found.done():
                return found
        return None

    def _release(self, slot: _Slot) -> None:
        """Passes a free environment on: to the first in line, to the idle ones, or out."""
        self._busy -= 1
        if slot.gone:
            return
        if slot.environment.state == "dead":
            self._retire_slot(slot)
        elif (found := self._first()) is not None:
            self._busy += 1
            found.set_result(slot)
            self._trim()
        elif self._retired:
            self._retire_slot(slot)
        else:
            self._park(slot)

    def _fail_oldest(self, error: BaseException) -> None:
        found = self._first()
        if found is not None:
            found.set_exception(error)

    def _trim(self) -> None:
        """Takes back the starts that no request waits for any more, unless they are under way."""
        while self._queued and self._queued + len(self._starting) > len(self._waiting):
            self._queued -= 1
            self._budget.withdraw(self)
            self._budget.give_back()
        while self._retired and len(self._starting) > len(self._waiting):
            self._retire_slot(self._starting.pop())

    def _park(self, slot: _Slot) -> None:
        slot.idle_since = asyncio.get_running_loop().time()
        self._idle.append(slot)
        if self._timer is None:
            self._arm()

    def _retire_slot(self, slot: _Slot) -> None:
        if not slot.gone:
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


async def _outcome(task: asyncio.Task[None]) -> BaseException | None:
    """What `task` failed with; being cancelled is a failure too."""
    await asyncio.wait([task])
    return asyncio.CancelledError() if task.cancelled() else task.exception()


async def _ready(environment: Environment) -> None:
    await environment.ready()


def _lost() -> UnderstudyError:
    return UnderstudyError(
        "environment-lost", "the execution environment was killed during its init phase", hint="invoke again"
    )


async def _end(slot: _Slot) -> None:
    await asyncio.wait([slot.spawning])
    await slot.environment.shutdown()

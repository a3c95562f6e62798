"""Environments that one version keeps ready, however long nobody asks: provisioned concurrency.

They start one after the other, take their places on this machine before anybody's request does, and are
never given up for another function. What they have no room for goes to the version's own pool, as on AWS:
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import asyncio
from collections.abc import Callable

from understudy.engine.functions.budget import Budget
from understudy.engine.functions.pool import Environment
from understudy.engine.protocol import ApiError
from understudy.errors import UnderstudyError
from understudy.sandbox.model import InvokeRequest, InvokeResult
from understudy.sandbox.reports import InitReport

# AWS's own reason of that name, a StatusReason is documented nowhere as a list; recorded for a function that
# fails in its init phase: https://github.com/localstack/localstack/pull/13784
_INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"


class Provisioned:
    """The environments kept ready for one version with one content.

    Attributes:
        wanted: how many are asked for.
        problem: why there are fewer and no more are tried; empty while all is well.
    """

    def __init__(self, make: Callable[[], Environment], budget: Budget) -> None:
        self.wanted = 0
        self.problem = ""
        self._make = make
        self._budget = budget
        self._idle: list[Environment] = []
        self._busy = 0
        self._filling = False
        self._starting: Environment | None = None

    @property
    def available(self) -> int:
        """How many wait for a request."""
        return len(self._idle)

    @property
    def allocated(self) -> int:
        """How many have started."""
        return len(self._idle) + self._busy

    def resize(self, wanted: int) -> None:
        """Sees to it that there will be so many; surplus ones end, those at work when they are done."""
        self.wanted = wanted
        self.problem = ""
        while self._idle and self.allocated > wanted:
            self._end(self._idle.pop())
        if self._starting is not None and self.allocated >= wanted:
            self._budget.background.spawn(self._starting.shutdown())
        self._fill()

    def ready(self) -> bool:
        """Whether one waits for a request; one that died while it waited is replaced."""
        while self._idle and self._idle[-1].state == "dead":
            self._end(self._idle.pop())
            self._fill()
        return bool(self._idle)

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs `request` in the environment that `ready` has found."""
        environment = self._idle.pop()
        self._busy += 1
        kept = False
        try:
            result = await environment.invoke(request)
            kept = environment.state != "dead"
        finally:
            self._busy -= 1
            if kept and self.allocated < self.wanted:
                self._idle.append(environment)
            else:
                self._end(environment)
                self._fill()
        return result

    def _fill(self) -> None:
        if not self._filling and self.allocated < self.wanted and not self.problem:
            self._filling = True
            self._budget.background.spawn(self._start_missing())

    async def _start_missing(self) -> None:
        try:
            while self.allocated < self.wanted and not self.problem:
                self.problem = await self._start_one()
        finally:
            self._filling = False

    async def _start_one(self) -> str:
        """Starts an environment; returns why it could not be, or nothing."""
        try:
            self._budget.take()
        except ApiError:
            return f"this machine holds {self._budget.places} environments at most"
        try:
            environment = self._make()
            await environment.start()
        except UnderstudyError as exc:
            self._budget.give_back()
            return exc.message
        report = await self._init_report(environment)
        if report is None or self.allocated >= self.wanted:
            self._end(environment)
            return ""
        if report.fault is not None or environment.state == "dead":
            self._end(environment)
            return _INIT_FAILED
        self._idle.append(environment)
        return ""

    async def _init_report(self, environment: Environment) -> InitReport | None:
        """How its init phase went; None when it was ended meanwhile."""
        self._starting = environment
        waiting = self._budget.background.spawn(environment.ready())
        await asyncio.wait([waiting])
        self._starting = None
        return None if waiting.cancelled() else waiting.result()

    def _end(self, environment: Environment) -> None:
        self._budget.give_back()
        self._budget.background.spawn(environment.shutdown())

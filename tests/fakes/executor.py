"""Execution environments whose function is a Python coroutine in this process: no namespaces, no socket.

`FakeEnvironment` keeps the promises of `sandbox.environment.ExecutionEnvironment` that the engine relies on;
tests/contract/test_engine_lambda_environment.py holds both to them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

from understudy.sandbox import reports
from understudy.sandbox.model import Fault, InvokeRequest, InvokeResult, SandboxSpec
from understudy.sandbox.reports import InitReport, Report

Handler = Callable[[SandboxSpec, InvokeRequest], Awaitable[bytes]]


class CrashError(Exception):
    """Raised by a handler whose process dies: the environment is spent, the next one starts afresh."""


async def echo(spec: SandboxSpec, request: InvokeRequest) -> bytes:
    """Answers with the event and what the function sees of itself."""
    seen = {"event": json.loads(request.payload), "environment": dict(spec.environment)}
    seen |= {"arn": request.invoked_function_arn, "version": spec.function_version}
    return json.dumps(seen).encode()


class FakeEnvironment:
    """One environment; `handler` is the function's code."""

    def __init__(self, fleet: "FakeFleet", spec: SandboxSpec, log: Callable[[bytes], None]) -> None:
        self.fleet = fleet
        self.spec = spec
        self.log = log
        self.state = "starting"
        self.invocations = 0
        self._init: asyncio.Future[Fault | None] | None = None

    async def start(self) -> None:
        """Spawns nothing, but may fail or take its time as spawning may."""
        await self.fleet.starting(self.spec)
        if self.state == "starting":
            self.state = "idle"

    async def ready(self) -> InitReport:
        """Has no init phase, unless the test gives it one."""
        self._init = asyncio.ensure_future(self.fleet.initialising(self.spec))
        fault = await asyncio.shield(self._init)
        return InitReport(phase="init", duration_ms=0.0, fault=fault)

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs the handler; an exception is a function error, `CrashError` is the end of the process."""
        assert self.state == "idle", f"invoked while {self.state}"
        self.state = "busy"
        self.invocations += 1
        error: str | None = None
        lines = [reports.start_line(request.request_id, self.spec.function_version)]
        try:
            payload = await self.fleet.handler(self.spec, request)
        except Exception as exc:  # noqa: BLE001 - stands in for the sandbox supervisor
            error = type(exc).__name__
            payload = json.dumps({"errorType": type(exc).__name__, "errorMessage": str(exc)}).encode()
            self.state = "dead" if isinstance(exc, CrashError) else self.state
        report = Report(
            request_id=request.request_id,
            duration_ms=1.0,
            billed_ms=1,
            memory_mb=self.spec.memory_mb,
            max_memory_mb=1,
        )
        lines += [reports.end_line(request.request_id), reports.report_line(report)]
        for line in lines:
            self.log(line)
        if self.state == "busy":
            self.state = "idle"
        return InvokeResult(
            payload=payload,
            function_error="Unhandled" if error else None,
            error_type=error,
            log_tail=b"".join(lines)[-4096:],
            duration_ms=1.0,
            billed_ms=1,
        )

    async def shutdown(self) -> None:
        """Ends the environment and its init phase; a second call does nothing."""
        if self._init is not None:
            self._init.cancel()
        self.state = "dead"
        self.fleet.ended.set()


async def _at_once(_: SandboxSpec) -> None:
    return


class FakeFleet:
    """Makes environments and remembers them.

    Attributes:
        handler: what functions do.
        starting: awaited by every start; raise in it to make starting fail.
        initialising: awaited by every init phase; gives its fault.
        made: every environment, in order.
        ended: set when one has been shut down.
    """

    def __init__(self, handler: Handler = echo) -> None:
        self.handler = handler
        self.starting: Callable[[SandboxSpec], Awaitable[None]] = _at_once
        self.initialising: Callable[[SandboxSpec], Awaitable[Fault | None]] = _at_once
        self.made: list[FakeEnvironment] = []
        self.ended = asyncio.Event()

    def create(self, spec: SandboxSpec, log: Callable[[bytes], None]) -> FakeEnvironment:
        """A new environment."""
        made = FakeEnvironment(self, spec, log)
        self.made.append(made)
        return made

    @property
    def alive(self) -> list[FakeEnvironment]:
        """The environments that have not ended."""
        return [each for each in self.made if each.state != "dead"]


class Gate:
    """A handler that holds every request until the test opens it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered = asyncio.Semaphore(0)
        self.inside = 0
        self.most = 0

    async def __call__(self, spec: SandboxSpec, request: InvokeRequest) -> bytes:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.release()
        await self.open.wait()
        self.inside -= 1
        return request.payload

    async def wait_for(self, count: int) -> None:
        """Returns when `count` more requests have entered."""
        for _ in range(count):
            await self.entered.acquire()

"""One Lambda execution environment: init, invoke and shutdown phases around one runtime process.

The rules are AWS's (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html): init has
10 s; when it fails or takes longer it is tried again within the first invocation, under the function's
timeout; a crash or a timeout resets the runtime process, and its next start is part of the next invocation,
while `/tmp` stays. Success of init means the runtime asked for its next invocation, nothing less.

Log lines come in the order they were written; each is whole and ends with a newline.
"""

from __future__ import annotations

import asyncio
import posixpath
import time
from typing import TYPE_CHECKING, Any, Literal

from understudy.errors import UnderstudyError
from understudy.sandbox import explain, model, runtime_api
from understudy.sandbox.accounts import Accounts
from understudy.sandbox.extensions import Extensions
from understudy.sandbox.journal import Journal
from understudy.sandbox.model import ExitStatus, Fault, InvokeRequest, InvokeResult, SandboxSpec
from understudy.sandbox.platform_log import PlatformLog
from understudy.sandbox.reports import InitReport
from understudy.sandbox.runtime_api import Answer, RuntimeApi
from understudy.sandbox.runtime_process import RuntimeProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from understudy.sandbox.executor import Executor, Process, Sandbox
    from understudy.sandbox.explain import ImportChain
    from understudy.sandbox.isolation import Isolation
    from understudy.sandbox.model import Phase

__all__ = ["ExecutionEnvironment", "InitReport", "InvokeRequest", "InvokeResult"]

_EXIT_AFTER_INIT_ERROR_S = 1.0


class _Expired:
    """Marks an invocation whose timer ran out."""


_EXPIRED = _Expired()


class ExecutionEnvironment:
    """Runs the requests of one environment, one at a time.

    Args:
        spec: image, limits and environment variables.
        executor: isolates the process.
        log: receives whole lines, platform lines and function output, in order.
        explain_init_errors: whether a failed import is repeated to find its chain; the handler's module
            code then runs once more.
    """

    def __init__(
        self,
        spec: SandboxSpec,
        *,
        executor: Executor,
        log: Callable[[bytes], None],
        explain_init_errors: bool = True,
    ) -> None:
        self.spec = spec
        self.init_report: InitReport | None = None
        self._executor = executor
        self._platform = PlatformLog(spec)
        self._journal = Journal(log, self._platform.keeps)
        self._explain = explain_init_errors
        function = {
            "functionName": spec.function_name,
            "functionVersion": spec.function_version,
            "handler": " ".join(spec.command),
        }
        self._extensions = Extensions((posixpath.basename(path) for path in spec.extensions), function)
        self._api = RuntimeApi(self._extensions)
        self._runtime = RuntimeProcess(spec, self._api, self._journal)
        self._accounts = Accounts(spec, self._runtime, self._journal, self._platform)
        self._sandbox: Sandbox | None = None
        self._init: asyncio.Task[InitReport] | None = None
        self._idle: asyncio.Future[Answer | Fault | None] | None = None
        self._running: asyncio.Future[Answer | Fault | ExitStatus | _Expired] | None = None
        self._queued: tuple[InvokeRequest, int] | None = None
        self._busy = False
        self._dead = False
        self._abandoned = False

    @property
    def state(self) -> Literal["starting", "idle", "busy", "dead"]:
        """Whether a request can be run now."""
        if self._dead or (self._sandbox is not None and not self._sandbox.alive):
            return "dead"
        if self._busy:
            return "busy"
        return "starting" if self._init is not None and not self._init.done() else "idle"

    @property
    def constraints(self) -> Mapping[str, str]:
        """Which of Lambda's constraints are in force; empty before `start`."""
        return self._sandbox.constraints if self._sandbox is not None else {}

    async def start(self) -> None:
        """Prepares the sandbox and starts the init phase, which goes on in the background.

        Raises:
            UnderstudyError: this machine cannot isolate, or the image's root cannot be assembled.
        """
        self._api.on_ready = self._runtime_ready
        self._api.on_answer = self._runtime_answered
        self._api.on_init_error = self._runtime_failed
        self._extensions.on_failure = self._extension_failed
        self._runtime.on_end = self._runtime_ended
        self._runtime.on_tick = self._accounts.settle
        try:
            self._sandbox = await self._executor.prepare(self.spec)
            await self._open_api(self._sandbox)
        except BaseException:
            await self.shutdown()
            raise
        self._init = asyncio.get_running_loop().create_task(
            self._initialise("init", self.spec.init_timeout_s)
        )

    async def _open_api(self, sandbox: Sandbox) -> None:
        own_network = sandbox.isolation
        if sandbox.doorway is not None:
            self._api.open_behind(sandbox.doorway)
        else:
            await self._api.open(own_network.runtime_listener if own_network is not None else None)

    @property
    def isolation(self) -> Isolation | None:
        """The sandbox's own network; `None` when it shares the host's."""
        return self._sandbox.isolation if self._sandbox is not None else None

    @property
    def process(self) -> Process | None:
        """The runtime process that was started last."""
        return self._runtime.process

    def signal(self, number: int) -> None:
        """Sends a signal to every process of the runtime, which then stays awake until the next request."""
        self._runtime.signal(number)

    async def ready(self) -> InitReport:
        """Waits for the end of the init phase and returns how it went."""
        if self._init is not None:
            return await asyncio.shield(self._init)
        if self.init_report is None:
            raise _closed()
        return self.init_report

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs one request; a function that fails is told by the result, not by an exception.

        Raises:
            UnderstudyError: the environment is shut down or busy.
        """
        if self._dead or self._busy or self._sandbox is None:
            raise _closed()
        self._busy = True
        try:
            return await self._invoke(request)
        except BaseException:
            # The caller gave up; the runtime may still work on the event, so it must not see another.
            self._abandoned = True
            raise
        finally:
            self._busy = False

    async def shutdown(self) -> None:
        """Ends the runtime process and frees the sandbox; idempotent.

        Without extensions Lambda gives a runtime no notice either: it is killed.
        """
        if not self._dead and self._runtime.alive:
            if self.spec.extensions:
                self._runtime.wake()
            await self._extensions.shut_down()
        self._dead = True
        self._accounts.settle()
        self._runtime.stop_watching()
        if self._init is not None:
            self._init.cancel()
            # However it ended, `ready` has told: the sandbox is to be freed in any case.
            await asyncio.wait([self._init])
        if self._sandbox is not None:
            await self._sandbox.close()
        await self._api.close()
        if self._runtime.ended is not None:
            await asyncio.wait([self._runtime.ended])

    async def _invoke(self, request: InvokeRequest) -> InvokeResult:
        timeout_s = self.spec.timeout_s if request.timeout_s is None else request.timeout_s
        init_ms = await self._first_init()
        if self._abandoned:
            await self._reset()
            self._abandoned = False
        started = time.perf_counter()
        outcome: Answer | Fault | None = (
            None if self._runtime.alive else await self._initialise_again(timeout_s)
        )
        if outcome is None:
            outcome = await self._dispatch(request, started, timeout_s)
        else:
            self._accounts.begin(request)
        duration_ms = (time.perf_counter() - started) * 1000
        if isinstance(outcome, Fault) and outcome.timed_out:
            duration_ms = timeout_s * 1000
        return self._accounts.end(request, outcome, duration_ms, init_ms)

    async def _first_init(self) -> float | None:
        """Waits for the init phase if this is the first request; its duration if it succeeded."""
        if self._init is None:
            return None
        report = await asyncio.shield(self._init)
        self._init = None
        return report.duration_ms if report.fault is None else None

    async def _initialise_again(self, timeout_s: float) -> Fault | None:
        self._accounts.settle()
        report = await self._initialise("invoke", timeout_s)
        if report.fault is not None and report.fault.timed_out:
            return model.timeout_fault(timeout_s)
        return report.fault

    # The init phase

    async def _initialise(self, phase: Phase, limit_s: float) -> InitReport:
        """Starts the runtime process and waits until it is ready, fails or runs out of time."""
        sandbox = self._sandbox
        assert sandbox is not None  # noqa: S101 - only called after start
        argv = [*self.spec.entrypoint, *self.spec.command]
        self._journal.write_all(self._platform.init_start(phase))
        started = time.perf_counter()
        if not argv:
            fault: Fault | None = model.no_entrypoint_fault()
            answer = None
        else:
            self._idle = asyncio.get_running_loop().create_future()
            ended = self._runtime.start(sandbox, argv)
            answer, fault = await self._await_ready(self._idle, ended, limit_s)
        duration_ms = (time.perf_counter() - started) * 1000
        known = chain = self.init_report.import_chain if self.init_report is not None else None
        if answer is not None:
            fault, found = await self._end_failed_init(answer, started + limit_s)
            chain = found or known
        report = InitReport(phase=phase, duration_ms=duration_ms, fault=fault, import_chain=chain)
        self.init_report = report
        if fault is not None:
            await self._reset()
            for line in chain.lines() if chain is not None and chain is not known else ():
                self._journal.write(line)
        else:
            self._runtime.limit_cpu(initialising=False)
        self._journal.write_all(self._platform.init_end(phase, duration_ms, fault))
        return report

    async def _await_ready(
        self, idle: asyncio.Future[Answer | Fault | None], ended: asyncio.Task[ExitStatus], limit_s: float
    ) -> tuple[Answer | None, Fault | None]:
        awaited: set[asyncio.Future[Any]] = {idle, ended}
        await asyncio.wait(awaited, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if idle.done():
            found = idle.result()
            return (None, found) if isinstance(found, Fault) else (found, None)
        if ended.done():
            return None, model.exit_fault(ended.result(), self.spec)
        return None, model.timeout_fault(limit_s)

    async def _end_failed_init(self, answer: Answer, deadline: float) -> tuple[Fault, ImportChain | None]:
        """Looks at the process that posted an init error, lets it exit, and finds its chain of imports."""
        fault = Fault(error_type=answer.error_type or "Runtime.Unknown", body=answer.body)
        process, ended = self._runtime.process, self._runtime.ended
        wanted = self._explain and self.init_report is None and fault.error_type in explain.EXPLAINED
        found = await process.peek() if wanted and process is not None else None
        self._api.release()
        if ended is not None:
            grace_s = max(0.0, min(_EXIT_AFTER_INIT_ERROR_S, deadline - time.perf_counter()))
            await asyncio.wait({ended}, timeout=grace_s)
        if found is None:
            return fault, None
        await self._reset()
        command = explain.command(found)
        return fault, await self._runtime.explain(*command) if command is not None else None

    # The invoke phase

    async def _dispatch(self, request: InvokeRequest, started: float, timeout_s: float) -> Answer | Fault:
        """Hands the event to the runtime and waits for its answer, its end or the timeout."""
        loop = asyncio.get_running_loop()
        running: asyncio.Future[Answer | Fault | ExitStatus | _Expired] = loop.create_future()
        self._running = running
        remaining_s = timeout_s - (time.perf_counter() - started)
        timer = loop.call_later(remaining_s, self._expire)
        try:
            self._runtime.wake()
            self._queued = (request, int((time.time() + remaining_s) * 1000))
            if self._api.at_rest:
                self._hand_over()
            elif not self._runtime.alive and self._runtime.ended is not None:
                running.set_result(self._runtime.ended.result())
            # The function works on its event by now: what is left to write down costs no time.
            self._accounts.begin(request)
            outcome = await running
        finally:
            timer.cancel()
            self._running = self._queued = None
        if isinstance(outcome, Answer):
            if outcome.truncated:
                # It is dying, or out of step: the next request must not meet it.
                await self._reset()
            return outcome
        if isinstance(outcome, Fault):
            await self._reset()
            return outcome
        if isinstance(outcome, ExitStatus):
            if request.stream is not None and request.stream.content_type is not None:
                return model.truncated_fault()
            return model.exit_fault(outcome, self.spec)
        await self._reset()
        return model.timeout_fault(timeout_s)

    def _hand_over(self) -> None:
        queued, self._queued = self._queued, None
        if queued is None:
            return
        request, deadline_ms = queued
        headers = runtime_api.invocation_headers(request, deadline_ms)
        self._extensions.invoke(request, deadline_ms)
        self._api.dispatch(request.request_id, headers, request.payload, request.stream)

    # What the runtime and its process tell

    def _runtime_ready(self) -> None:
        idle = self._idle
        if idle is not None and not idle.done():
            idle.set_result(None)
        if self._queued is not None:
            # The answer to the previous request was in, this call of the runtime still under way.
            self._hand_over()

    def _runtime_failed(self, answer: Answer) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(answer)

    def _runtime_answered(self, answer: Answer) -> None:
        if self._running is not None and not self._running.done():
            self._running.set_result(answer)

    def _runtime_ended(self, status: ExitStatus) -> None:
        if self._running is not None and not self._running.done():
            self._running.set_result(status)

    def _extension_failed(self, error_type: str, reason: str) -> None:
        """Lambda ends an environment whose extension failed; the next request starts all of it again."""
        fault = Fault(error_type=error_type, reason=reason)
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(fault)
        elif self._running is not None and not self._running.done():
            self._running.set_result(fault)
        elif self._runtime.process is not None:
            self._runtime.process.kill()

    def _expire(self) -> None:
        if self._running is not None and not self._running.done():
            self._running.set_result(_EXPIRED)

    async def _reset(self) -> None:
        """Ends the runtime process; `/tmp` and the sandbox stay."""
        self._dead = not await self._runtime.end() or self._dead


def _closed() -> UnderstudyError:
    return UnderstudyError(
        "environment-closed", "the execution environment is shut down or busy", hint="invoke again"
    )

"""The runtime process of one execution environment: started, held to its limits, frozen at rest, ended.

One process after another in the same sandbox, whose `/tmp` stays. Refuses to know phases and requests.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from understudy.sandbox import explain, model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from understudy.sandbox.executor import Process, Sandbox
    from understudy.sandbox.explain import ImportChain
    from understudy.sandbox.journal import Journal
    from understudy.sandbox.model import ExitStatus, Fault, SandboxSpec
    from understudy.sandbox.runtime_api import RuntimeApi

_WATCH_S = 0.02
_EXPLAIN_TIMEOUT_S = 10.0
_KILL_TIMEOUT_S = 10.0
_MEGABYTE = 1024 * 1024


class RuntimeProcess:
    """The process that speaks to `api`, as long as there is one.

    Attributes:
        process: the last one that was started.
        ended: its end.
        on_end: called when it has ended.
        on_tick: called now and then while it is awake.
    """

    def __init__(self, spec: SandboxSpec, api: RuntimeApi, journal: Journal) -> None:
        self.process: Process | None = None
        self.ended: asyncio.Task[ExitStatus] | None = None
        self.on_end: Callable[[ExitStatus], None] = _ignore
        self.on_tick: Callable[[], object] = _nothing
        self._spec = spec
        self._api = api
        self._journal = journal
        self._sandbox: Sandbox | None = None
        self._throttled: bool | None = None
        self._watcher: asyncio.TimerHandle | None = None
        self._rested = False

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.ended is not None and not self.ended.done()

    def start(self, sandbox: Sandbox, argv: list[str]) -> asyncio.Task[ExitStatus]:
        """Starts it in `sandbox`; failing to is told by its exit status."""
        self._sandbox = sandbox
        self._api.reset()
        self._journal.restart()
        self.limit_cpu(initialising=True)
        environment = {**self._spec.environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        self.process = sandbox.start(argv, environment, self._journal.output)
        self.ended = asyncio.get_running_loop().create_task(self.process.wait())
        self.ended.add_done_callback(self._process_ended)
        self._watch()
        return self.ended

    def signal(self, number: int) -> None:
        """Sends a signal to every process of the runtime, which then stays awake until the next `wake`."""
        self.wake()
        self.stop_watching()
        if self.process is not None:
            self.process.signal(number)

    async def end(self) -> bool:
        """Ends it; whether it is gone."""
        process, ended = self.process, self.ended
        if process is not None and ended is not None and not ended.done():
            process.kill()
            await asyncio.wait({ended}, timeout=_KILL_TIMEOUT_S)
        self._api.reset()
        return ended is None or ended.done()

    async def explain(self, argv: list[str], environment: Mapping[str, str]) -> ImportChain | None:
        """Runs what `explain.command` returned in the sandbox and reads what it says."""
        sandbox = self._sandbox
        if sandbox is None:
            return None
        collected: list[bytes] = []
        process = sandbox.start(argv, environment, collected.append)
        ended = asyncio.get_running_loop().create_task(process.wait())
        await asyncio.wait({ended}, timeout=_EXPLAIN_TIMEOUT_S)
        if not ended.done():
            process.kill()
            await ended
        return explain.parse(b"".join(collected))

    def max_memory_mb(self, fault: Fault | None) -> int:
        """The memory that REPORT names for an invocation that ended with `fault`."""
        if fault is not None and fault.error_type == model.OUT_OF_MEMORY:
            return self._spec.memory_mb
        peak = 0
        if self.ended is not None and self.ended.done() and not self.ended.cancelled():
            peak = self.ended.result().max_rss_bytes
        elif self.process is not None:
            peak = self.process.memory_peak_bytes()
        return min(self._spec.memory_mb, math.ceil(peak / _MEGABYTE))

    def limit_cpu(self, *, initialising: bool) -> None:
        """Sets the CPU share of a phase."""
        if self._sandbox is not None and self._throttled is not (not initialising):
            self._throttled = not initialising
            self._sandbox.limit_cpu(model.cpu_limit(self._spec, initialising=initialising))

    def wake(self) -> None:
        """Lets it go on, until it has rested."""
        self._rested = False
        if self._sandbox is not None:
            self._sandbox.thaw()
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().call_later(_WATCH_S, self._watch)

    def stop_watching(self) -> None:
        """Leaves it as it is, awake or frozen."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()

    def _watch(self) -> None:
        """Ticks until the process has ended, or has rested for a tick and is frozen."""
        self.stop_watching()
        self.on_tick()
        process, sandbox = self.process, self._sandbox
        if process is None or sandbox is None or not self.alive:
            return
        if not self._api.at_rest:
            process.check_memory()
        elif self._rested:
            sandbox.freeze()
            return
        else:
            self._rested = True
        self._watcher = asyncio.get_running_loop().call_later(_WATCH_S, self._watch)

    def _process_ended(self, task: asyncio.Task[ExitStatus]) -> None:
        if task is not self.ended:
            return
        self._journal.finish_line()
        if not task.cancelled():
            self.on_end(task.result())


def _nothing() -> None:
    return


def _ignore(_: ExitStatus) -> None:
    return

"""One container as a sandbox: processes one after another in it, and what process 1 tells of them.

Everything runs in callbacks of the event loop but the change of the CPU share, a call of Docker's that goes
on beside it; the last wish wins.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.sandbox import model, plans
from understudy.sandbox.docker import container, frames
from understudy.sandbox.isolation import LOOPBACK, Isolation
from understudy.sandbox.model import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from understudy.sandbox.docker.api import DockerApi
    from understudy.sandbox.docker.container import Listening
    from understudy.sandbox.docker.link import Link
    from understudy.sandbox.executor import Peek
    from understudy.sandbox.model import LaunchFailure, SandboxSpec

_READY_S = 30.0
_END_S = 5.0
_RUNTIME_API, _RESOLVER = 0, 1


class ContainerDoorway:
    """The Runtime API's place inside a container: process 1 listens and relays."""

    def __init__(self, link: Link, port: int) -> None:
        self._link = link
        self.address = f"{LOOPBACK}:{port}"

    def serve(self, connection: Callable[[], asyncio.Protocol]) -> None:
        """Has the container's connections served."""
        self._link.listeners[_RUNTIME_API] = connection


class DockerProcess:
    """A runtime process in a container."""

    def __init__(self, sandbox: DockerSandbox, output: Callable[[bytes], None]) -> None:
        self.failure: LaunchFailure | None = None
        self.output = output
        self.peak_bytes = 0
        self._sandbox = sandbox
        self._status: asyncio.Future[ExitStatus] = asyncio.get_running_loop().create_future()

    async def wait(self) -> ExitStatus:
        """Returns how it ended; its output came before that."""
        return await asyncio.shield(self._status)

    def kill(self) -> None:
        """Kills it and everything it started; stopped or not."""
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Sends a signal to it and to everything it started."""
        self._sandbox.thaw()
        self._sandbox.send(frames.encode(b"K", int(number)))

    def drain(self) -> None:
        """Nothing to do: output comes in order with what the process asks the Runtime API."""

    def memory_peak_bytes(self) -> int:
        """Highest resident memory, as of its last request to the Runtime API."""
        return self.peak_bytes

    def check_memory(self) -> None:
        """Nothing to do: process 1 watches."""

    async def peek(self) -> Peek | None:
        """Looks at the process through process 1."""
        return await self._sandbox.peek()

    def ended(self, status: ExitStatus) -> None:
        """Called when process 1 has reaped it."""
        if not self._status.done():
            self._status.set_result(status)


class DockerSandbox:
    """A container with process 1 in it.

    Args:
        spec: what it is for.
        api: of the engine that runs it.
        link: to its process 1; not connected yet.
        identifier: of the container.
        constraints: in force here.
        listening: what process 1 listens on.
    """

    def __init__(
        self,
        spec: SandboxSpec,
        *,
        api: DockerApi,
        link: Link,
        identifier: str,
        constraints: Mapping[str, str],
        listening: Listening,
    ) -> None:
        self.spec = spec
        self.constraints = constraints
        self.identifier = identifier
        self.isolation: Isolation | None = None
        self.doorway: ContainerDoorway | None = None
        self.on_closed: Callable[[DockerSandbox], None] = _nothing
        self._api = api
        self._link = link
        self._relays = Isolation(listening.endpoints)
        if spec.network == "isolated":
            self.isolation = self._relays
        first = len(listening.sockets) - len(listening.endpoints)
        for number, endpoint in enumerate(listening.endpoints, first):
            link.listeners[number] = self._relays.relay(endpoint)
        link.on_frame = self._take
        link.on_lost = self._lose
        self._ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()
        self._process: DockerProcess | None = None
        self._peek: asyncio.Future[Peek | None] | None = None
        self._frozen = False
        self._vcpus = self._wanted_vcpus = model.cpu_limit(spec, initialising=True)
        self._settling: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the container is there."""
        return not self._gone.is_set()

    async def ready(self) -> None:
        """Waits until process 1 listens.

        Raises:
            UnderstudyError: it could not.
        """
        try:
            async with asyncio.timeout(_READY_S):
                port = await self._ready
        except TimeoutError:
            raise _not_started("it said nothing for 30 seconds") from None
        self.doorway = ContainerDoorway(self._link, port)

    def start(
        self, argv: Sequence[str], environment: Mapping[str, str], output: Callable[[bytes], None]
    ) -> DockerProcess:
        """Starts a process as Lambda's user; see `executor.Sandbox.start`."""
        self._process = process = DockerProcess(self, output)
        if self._gone.is_set():
            process.ended(ExitStatus(code=-signal.SIGKILL))
        self._frozen = False
        self.send(frames.start(self.spec, argv, environment, plans.extensions_beside(self.spec, argv)))
        return process

    def send(self, frame: bytes) -> None:
        """Sends a frame to process 1."""
        self._link.send(frame)

    def limit_cpu(self, vcpus: float | None) -> None:
        """Sets the CPU share, soon."""
        self._wanted_vcpus = vcpus
        if self._settling is None or self._settling.done():
            self._settling = asyncio.get_running_loop().create_task(self._settle())

    def freeze(self) -> None:
        """Stops the processes.

        By signals: a paused container would not notice that this engine is gone, and pausing takes longer
        than most requests.
        """
        if not self._frozen:
            self._frozen = True
            self.send(frames.encode(b"K", signal.SIGSTOP))

    def thaw(self) -> None:
        """Lets them go on."""
        if self._frozen:
            self._frozen = False
            self.send(frames.encode(b"K", signal.SIGCONT))

    async def peek(self) -> Peek | None:
        """Asks process 1 to look at the running process."""
        if self._gone.is_set():
            return None
        if self._peek is None or self._peek.done():
            self._peek = asyncio.get_running_loop().create_future()
            self.send(frames.encode(b"P"))
        return await asyncio.shield(self._peek)

    async def close(self) -> None:
        """Ends process 1 and with it the container, which Docker then removes; idempotent."""
        if self._settling is not None:
            await self._settling
        self._link.end()
        try:
            await asyncio.wait_for(self._gone.wait(), _END_S)
        except TimeoutError:
            await self._remove()
        await self._relays.close()
        self.on_closed(self)

    async def abandon(self) -> None:
        """Removes a container that did not come up."""
        await self._remove()
        self.on_closed(self)

    async def _remove(self) -> None:
        with contextlib.suppress(UnderstudyError):
            await self._api.delete(f"/containers/{self.identifier}?force=1")
        self._link.abort()

    async def _settle(self) -> None:
        # A container that ended meanwhile refuses, and needs no share any more.
        with contextlib.suppress(UnderstudyError):
            while self._vcpus != self._wanted_vcpus and not self._gone.is_set():
                vcpus = self._wanted_vcpus
                await self._api.post(f"/containers/{self.identifier}/update", container.cpu(vcpus))
                self._vcpus = vcpus

    def _take(self, kind: bytes, number: int, payload: bytes) -> None:
        process = self._process
        if kind == b"R" and not self._ready.done():
            self._ready.set_result(number)
        elif kind == b"F":
            self._fail(frames.failure(payload))
        elif kind == b"Q" and number == _RESOLVER:
            answer = self._relays.answer(payload[6:])
            if answer is not None:
                self.send(frames.encode(b"A", number, payload[:6] + answer))
        elif kind == b"P" and self._peek is not None and not self._peek.done():
            self._peek.set_result(frames.peek(payload))
        elif process is not None:
            _tell(process, kind, number, payload)

    def _fail(self, failure: LaunchFailure) -> None:
        if not self._ready.done():
            self._refuse(f"{failure.stage}: {failure.text}")
        elif self._process is not None:
            self._process.failure = failure

    def _refuse(self, reason: str) -> None:
        self._ready.set_exception(_not_started(reason))
        # Nobody may be waiting: then something else failed first, and that is told.
        self._ready.exception()

    def _lose(self, text: str) -> None:
        """The container is gone, and everything in it."""
        self._gone.set()
        if not self._ready.done():
            self._refuse(text or "its process 1 ended at once")
        if self._process is not None:
            self._process.ended(ExitStatus(code=-signal.SIGKILL))
        if self._peek is not None and not self._peek.done():
            self._peek.set_result(None)


def _tell(process: DockerProcess, kind: bytes, number: int, payload: bytes) -> None:
    if kind == b"O":
        process.output(payload)
    elif kind == b"M":
        process.peak_bytes = max(process.peak_bytes, number * 1024)
    elif kind == b"X":
        process.ended(frames.exit_status(payload, process.failure))


def _not_started(reason: str) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        "docker-sandbox",
        f"the sandbox's container did not start: {reason}",
        hint="./understudy doctor, and docker info for the engine's own view",
    )


def _nothing(sandbox: DockerSandbox) -> None:
    del sandbox

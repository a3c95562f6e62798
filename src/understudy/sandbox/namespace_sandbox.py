"""The engine's side of one namespace sandbox: messages to and from its process 1, output, memory.

Everything runs in callbacks of the event loop; nothing here waits for the kernel longer than a system call.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

from understudy.sandbox import plans, privileges
from understudy.sandbox.executor import Peek
from understudy.sandbox.forkclient import credentials_pid, memory_file, received_sockets
from understudy.sandbox.isolation import Isolation
from understudy.sandbox.model import ExitStatus, LaunchFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from understudy.sandbox.cgroups import Group
    from understudy.sandbox.model import SandboxSpec

_CHUNK = 65536
_ANCILLARY = 256
_MEGABYTE = 1024 * 1024
_END_TIMEOUT_S = 5.0
_OUTPUT_TIMEOUT_S = 1.0
_REMOVE_ROUNDS = 100


class NamespaceProcess:
    """A runtime process in a namespace sandbox."""

    def __init__(self, sandbox: NamespaceSandbox, output: Callable[[bytes], None], descriptor: int) -> None:
        loop = asyncio.get_running_loop()
        self.pid = 0
        self.failure: LaunchFailure | None = None
        self._sandbox = sandbox
        self._output = output
        self._descriptor = descriptor
        self._status: asyncio.Future[ExitStatus] = loop.create_future()
        self._output_ended = asyncio.Event()
        self._kills_before = sandbox.group.oom_kills()
        self._over_limit = False
        self._own_memory = _MemoryStatus()
        loop.add_reader(descriptor, self.drain)

    async def wait(self) -> ExitStatus:
        """Returns how it ended, once its output has been delivered."""
        status = await asyncio.shield(self._status)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._output_ended.wait(), _OUTPUT_TIMEOUT_S)
        self._close_output()
        return status

    def kill(self) -> None:
        """Kills it and everything it started; frozen or not."""
        self._sandbox.thaw()
        self._sandbox.send({"do": "kill", "signal": int(signal.SIGKILL)})

    def signal(self, number: int) -> None:
        """Sends a signal to it and to everything it started."""
        self._sandbox.send({"do": "kill", "signal": number})

    def drain(self) -> None:
        """Delivers what is in the pipe."""
        while self._descriptor >= 0:
            try:
                data = os.read(self._descriptor, _CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close_output()
                return
            self._output(data)
            if len(data) < _CHUNK:
                return

    def memory_peak_bytes(self) -> int:
        """Sum of VmHWM over the process and the group's others.

        Version 1 keeps a group's list of processes for a second, so it may name dead ones, which count 0.
        """
        if not self.pid:
            return 0
        others = [pid for pid in self._sandbox.group.pids() if pid != self.pid]
        return self._own_memory.read(self.pid, b"VmHWM:") + sum(
            _MemoryStatus().read(pid, b"VmHWM:") for pid in others
        )

    def check_memory(self) -> None:
        """Enforces the memory limit: the kernel's has room for a full `/tmp`."""
        group = self._sandbox.group
        if group.limits_memory:
            used = group.anonymous_bytes()
        else:
            used = self._own_memory.read(self.pid, b"RssAnon:") if self.pid else 0
        if used > self._sandbox.spec.memory_mb * _MEGABYTE:
            self._over_limit = True
            self.kill()

    async def peek(self) -> Peek | None:
        """Looks at the process through process 1, which may."""
        found = await self._sandbox.peek()
        if found is None:
            return None
        return Peek(
            executable=found["exe"],
            argv=tuple(found["argv"]),
            environment=found["env"],
            working_dir=found["cwd"],
        )

    def ended(self, code: int, max_rss_bytes: int) -> None:
        """Called when process 1 has reaped it."""
        if self._status.done():
            return
        oom_killed = code == -signal.SIGKILL and (
            self._over_limit or self._sandbox.group.oom_kills() > self._kills_before
        )
        self._status.set_result(
            ExitStatus(code=code, failed=self.failure, max_rss_bytes=max_rss_bytes, oom_killed=oom_killed)
        )

    def _close_output(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
            self._output_ended.set()


class NamespaceSandbox:
    """A root, a process 1 and a control group."""

    def __init__(
        self,
        spec: SandboxSpec,
        *,
        link: socket.socket,
        group: Group,
        constraints: Mapping[str, str],
        set_groups: bool,
        cpus: Sequence[int],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.group = group
        self.constraints = constraints
        self.holder_pid = 0
        self.isolation: Isolation | None = None
        self.doorway = None
        self.lease: contextlib.ExitStack | None = None
        self.on_closed: Callable[[NamespaceSandbox], None] = lambda _: None
        self._set_groups = set_groups
        self._cpus = tuple(cpus)
        self._link = link
        self._ready: asyncio.Future[list[socket.socket]] = loop.create_future()
        self._peek: asyncio.Future[dict[str, Any] | None] | None = None
        self._process: NamespaceProcess | None = None
        self._gone = asyncio.Event()
        self._closed = False
        link.setblocking(False)
        loop.add_reader(link.fileno(), self._receive)

    @property
    def alive(self) -> bool:
        """Whether process 1 is there."""
        return not self._gone.is_set()

    async def ready(self) -> None:
        """Waits until the root stands and the sandbox's own network, if it has one, is served.

        Raises:
            EnvironmentProblemError: the kernel refused a mount.
        """
        listening = await asyncio.shield(self._ready)
        if listening:
            self.isolation = Isolation(self.spec.reachable, listening)
            await self.isolation.open()

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        output: Callable[[bytes], None],
        *,
        terminal: int = -1,
    ) -> NamespaceProcess:
        """Starts a process as Lambda's user; see `executor.Sandbox.start`.

        Args:
            argv: the command.
            environment: complete.
            output: receives stdout and stderr.
            terminal: the program's controlling terminal, in the place of `output`.
        """
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        process = NamespaceProcess(self, output, reading)
        request = plans.function_process(
            self.spec,
            argv,
            environment,
            set_groups=self._set_groups,
            cpus=self._cpus,
            count_by_user=not self.group.limits_processes,
        )
        self._process = process
        try:
            with memory_file(request) as description, self.group.entries() as groups:
                socket.send_fds(
                    self._link,
                    [b'{"do": "start"}'],
                    [description, writing if terminal < 0 else terminal, *groups],
                )
        except OSError as error:
            process.failure = LaunchFailure(stage="sandbox", errno=error.errno or 0, text=str(error))
            process.ended(-signal.SIGKILL, 0)
        finally:
            os.close(writing)
        return process

    def limit_cpu(self, vcpus: float | None) -> None:
        """Sets the CPU share."""
        self.group.limit_cpu(vcpus)

    def freeze(self) -> None:
        """Stops the processes."""
        self.group.freeze()

    def thaw(self) -> None:
        """Lets them go on."""
        self.group.thaw()

    async def peek(self) -> dict[str, Any] | None:
        """Asks process 1 to look at the running process."""
        if self._peek is None or self._peek.done():
            self._peek = asyncio.get_running_loop().create_future()
            self.send({"do": "peek"})
        return await asyncio.shield(self._peek)

    def send(self, message: dict[str, Any]) -> None:
        """Sends a request to process 1; one that is gone has nothing left to do."""
        with contextlib.suppress(OSError):
            self._link.send(json.dumps(message).encode())

    async def close(self) -> None:
        """Ends process 1 and with it everything in its namespace; frees the control group."""
        if not self._closed:
            self._closed = True
            self.thaw()
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_WR)
        try:
            await asyncio.wait_for(self._gone.wait(), _END_TIMEOUT_S)
        except TimeoutError:
            if self.holder_pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.holder_pid, signal.SIGKILL)
        self._lose()
        for _ in range(_REMOVE_ROUNDS):
            if self.group.remove():
                break
            await asyncio.sleep(0.005)
        if self.isolation is not None:
            await self.isolation.close()
        if self.lease is not None:
            self.lease.close()
        self.on_closed(self)

    def _receive(self) -> None:
        while not self._gone.is_set():
            try:
                data, ancillary, _, _ = self._link.recvmsg(
                    _CHUNK, socket.CMSG_SPACE(_ANCILLARY), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                data, ancillary = b"", []
            if not data:
                self._lose()
                return
            self._obey(json.loads(data), credentials_pid(ancillary), received_sockets(ancillary))

    def _obey(self, message: dict[str, Any], sender: int, listening: list[socket.socket]) -> None:
        if "ready" in message:
            self.holder_pid = sender
            if not self._ready.done():
                self._ready.set_result(listening)
        elif "pid" in message:
            if self._process is not None:
                self._process.pid = sender
        elif "failed" in message:
            self._fail(message)
        elif "exit" in message and self._process is not None:
            self._process.ended(message["exit"], message["max_rss"])
        elif "peek" in message and self._peek is not None and not self._peek.done():
            self._peek.set_result(message["peek"])

    def _fail(self, message: dict[str, Any]) -> None:
        if not self._ready.done():
            self._ready.set_exception(privileges.forbidden(message["errno"], message["text"]))
        elif self._process is not None:
            self._process.failure = LaunchFailure(
                stage=message["failed"], errno=message["errno"], text=message["text"]
            )

    def _lose(self) -> None:
        """Process 1 is gone, and by the kernel's rule everything in its namespace."""
        if self._gone.is_set():
            return
        self._gone.set()
        asyncio.get_running_loop().remove_reader(self._link.fileno())
        self._link.close()
        if not self._ready.done():
            self._ready.set_exception(privileges.forbidden(0, "process 1 ended before it was ready"))
        if self._process is not None:
            self._process.ended(-signal.SIGKILL, 0)
        if self._peek is not None and not self._peek.done():
            self._peek.set_result(None)


class _MemoryStatus:
    """Reads a process's memory figures from one open file: this is part of every REPORT line."""

    __slots__ = ("_descriptor",)

    def __init__(self) -> None:
        self._descriptor = -1

    def read(self, pid: int, name: bytes) -> int:
        """The figure `name` in bytes; 0 when the process is gone."""
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
            text = os.pread(self._descriptor, 4096, 0)
        except OSError:
            return 0
        start = text.find(name)
        return int(text[start + len(name) : text.find(b"kB", start)]) * 1024 if start >= 0 else 0

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

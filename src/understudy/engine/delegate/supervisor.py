"""Supervises the emulator behind the engine and forwards to it everything that is not ours.

The child runs on a private loopback port, restarts with backoff when it dies and is gone when the engine is,
however the engine ends. A request that arrives before the child is ready waits for it, up to a bound, so
nothing fails just because it came early.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from understudy.engine.delegate import door
from understudy.engine.delegate.door import Door
from understudy.engine.delegate.launch import Emulator, Launch
from understudy.engine.delegate.proxy import HttpProxy
from understudy.engine.protocol import Receive, Scope, Send

READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 1.5
_FIRST_BACKOFF_S = 0.1
_LAST_BACKOFF_S = 5.0
_STEADY_AFTER_S = 10.0
_KNOCK_EVERY_S = 0.02
_LOG_LIMIT_BYTES = 8 * 1024 * 1024

logger = logging.getLogger(__name__)

DelegateState = Literal["stopped", "starting", "running", "restarting", "unreachable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateStatus:
    """What the health endpoint says of the delegate.

    Attributes:
        name: the emulator's, with its version where somebody else runs it.
        state: ``unreachable`` is one that answered before, and that somebody else runs.
        pid: of the child; None for an emulator that is none.
        restarts: how often the child was started again, or an emulator of somebody else came back.
        url: where an emulator that somebody else runs answers.
        services: its own words on the state of each service; empty where it did not say.
    """

    name: str
    state: DelegateState
    pid: int | None = None
    restarts: int = 0
    url: str | None = None
    services: Mapping[str, str] = field(default_factory=dict)


class Delegate(Protocol):
    """Answers what the engine does not own."""

    async def start(self) -> None:
        """Begins to start; returns at once."""
        ...

    async def stop(self) -> None:
        """Stops, its state saved."""
        ...

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        ...

    def status(self) -> DelegateStatus:
        """Returns how it is."""
        ...


class NoDelegate:
    """Stands in where no delegate is wanted: every request is refused by name."""

    async def start(self) -> None:
        """Does nothing."""

    async def stop(self) -> None:
        """Does nothing."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the protocol's
        """Refuses."""
        await door.refuse(send, 501, "this engine runs without a delegate")

    def status(self) -> DelegateStatus:
        """Returns stopped."""
        return DelegateStatus(name="none", state="stopped")


class SupervisedDelegate:
    """An emulator as a supervised child process behind a streaming proxy."""

    def __init__(self, emulator: Emulator, *, log_path: Path, ready_within_s: float = READY_WITHIN_S) -> None:
        self._emulator = emulator
        self._log_path = log_path
        self._door = Door(where=str(log_path), wait_s=ready_within_s)
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._state: DelegateState = "stopped"
        self._restarts = 0

    async def start(self) -> None:
        """Begins to start the child; returns at once. Requests wait until it is ready."""
        self._state = "starting"
        self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Ends the child: SIGTERM, so it saves its state, then SIGKILL."""
        self._state = "stopped"
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        self._door.close()
        if self._process is not None:
            await _end(self._process)

    def status(self) -> DelegateStatus:
        """Returns the child's state, process id and number of restarts."""
        pid = self._process.pid if self._process is not None and self._process.returncode is None else None
        return DelegateStatus(name=self._emulator.name, state=self._state, pid=pid, restarts=self._restarts)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards a request; waits for a child that is starting, and says so when it does not come."""
        await self._door.handle(scope, receive, send)

    async def _supervise(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while True:
            began = time.monotonic()
            await self._run_once()
            if time.monotonic() - began > _STEADY_AFTER_S:
                backoff_s = _FIRST_BACKOFF_S
            self._state = "restarting"
            self._restarts += 1
            code = self._process.returncode if self._process else None
            logger.error("delegate %s ended with %s, again in %.1f s", self._emulator.name, code, backoff_s)
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    async def _run_once(self) -> None:
        """Starts the child, opens the door once it answers, and returns when it has ended."""
        with socket.create_server(("127.0.0.1", 0)) as listener, _open_log(self._log_path) as log:
            port = listener.getsockname()[1]
            launch = self._emulator.launch(socket_fd=listener.fileno(), port=port)
            self._process = await asyncio.create_subprocess_exec(
                *launch.argv,
                env=dict(launch.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(listener.fileno(),),
                start_new_session=True,
            )
        ended = asyncio.create_task(self._process.wait())
        opened = asyncio.create_task(self._open_when_ready(launch, port))
        try:
            await ended
        finally:
            self._door.close()
            opened.cancel()
            ended.cancel()

    async def _open_when_ready(self, launch: Launch, port: int) -> None:
        proxy = HttpProxy("127.0.0.1", port, extra_headers=launch.headers)
        while not await door.answers(proxy, launch.health_path):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(_KNOCK_EVERY_S)
        self._state = "running"
        self._door.open(proxy)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _open_log(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")

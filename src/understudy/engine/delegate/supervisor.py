"""Supervises the emulator behind the engine and forwards to it everything that is not ours.

The child runs on a private loopback port, restarts with backoff when it dies and is gone when the engine is,
however the engine ends. A request that arrives before the child is ready waits for it, up to a bound, so
nothing fails just because it came early.
"""

import asyncio
import contextlib
import json
import logging
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from understudy.engine.delegate.launch import Emulator, Launch
from understudy.engine.delegate.proxy import HttpProxy, UpstreamGoneError
from understudy.engine.protocol import Message, Receive, Scope, Send

READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 1.5
_FIRST_BACKOFF_S = 0.1
_LAST_BACKOFF_S = 5.0
_STEADY_AFTER_S = 10.0
_KNOCK_EVERY_S = 0.02
_LOG_LIMIT_BYTES = 8 * 1024 * 1024

logger = logging.getLogger(__name__)

DelegateState = Literal["stopped", "starting", "running", "restarting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateStatus:
    """What the health endpoint says of the delegate."""

    name: str
    state: DelegateState
    pid: int | None = None
    restarts: int = 0


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
        await _refuse(send, 501, "this engine runs without a delegate")

    def status(self) -> DelegateStatus:
        """Returns stopped."""
        return DelegateStatus(name="none", state="stopped")


class SupervisedDelegate:
    """An emulator as a supervised child process behind a streaming proxy."""

    def __init__(self, emulator: Emulator, *, log_path: Path, ready_within_s: float = READY_WITHIN_S) -> None:
        self._emulator = emulator
        self._log_path = log_path
        self._ready_within_s = ready_within_s
        self._ready = asyncio.Event()
        self._proxy: HttpProxy | None = None
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
        if self._proxy is not None:
            self._proxy.close()
        if self._process is not None:
            await _end(self._process)

    def status(self) -> DelegateStatus:
        """Returns the child's state, process id and number of restarts."""
        pid = self._process.pid if self._process is not None and self._process.returncode is None else None
        return DelegateStatus(name=self._emulator.name, state=self._state, pid=pid, restarts=self._restarts)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards a request; waits for a child that is starting, and says so when it does not come."""
        if not self._ready.is_set():
            try:
                async with asyncio.timeout(self._ready_within_s):
                    await self._ready.wait()
            except TimeoutError:
                await _refuse(send, 503, f"the delegate is {self._state}, see {self._log_path}")
                return
        proxy, began = self._proxy, False

        async def _observed(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        if proxy is None:
            raise RuntimeError("ready without a proxy")
        try:
            await proxy.forward(scope, receive, _observed)
        except (UpstreamGoneError, OSError) as exc:
            if began:
                raise
            await _refuse(send, 503, f"the delegate went away ({exc}), see {self._log_path}; try again")

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
            self._ready.clear()
            opened.cancel()
            ended.cancel()
            if self._proxy is not None:
                self._proxy.close()

    async def _open_when_ready(self, launch: Launch, port: int) -> None:
        proxy = HttpProxy("127.0.0.1", port, extra_headers=launch.headers)
        while not await _answers(proxy, launch.health_path):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(_KNOCK_EVERY_S)
        self._proxy = proxy
        self._state = "running"
        self._ready.set()


async def _answers(proxy: HttpProxy, path: str) -> bool:
    """Whether the emulator answers its health path below 500."""
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    scope: Scope = {
        "method": "GET",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    try:
        await proxy.forward(scope, receive, send)
    except (UpstreamGoneError, OSError):
        return False
    return 0 < status < 500


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


async def _refuse(send: Send, status: int, message: str) -> None:
    body = json.dumps({"__type": "ServiceUnavailableException", "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

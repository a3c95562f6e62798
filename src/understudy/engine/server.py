"""Uvicorn as the engine runs it: an answer leaves in one packet, signals are the engine's own affair.

Uvicorn writes an answer's head and body apart and uvloop hands each to the kernel at once: two system calls
and two wake-ups of the client per answer. Corking joins what is written within one turn of the event loop.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from understudy.engine.app import Engine

KEEP_ALIVE_S = 600
_DRAIN_S = 1
_CORKED_BYTES = 64 * 1024


class CorkedTransport:
    """A transport that sends at the end of the event loop's turn, or when enough has come together."""

    __slots__ = ("_call_soon", "_pending", "_size", "_transport")

    def __init__(
        self, transport: asyncio.Transport, call_soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self._transport = transport
        self._call_soon = call_soon
        self._pending: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has under that name
        """Returns the transport's own attribute: only writing and closing differ."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Takes data to be sent soon."""
        if not self._pending:
            self._call_soon(self.flush)
        self._pending.append(data)
        self._size += len(data)
        if self._size >= _CORKED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Sends what was taken."""
        if self._pending:
            data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
            self._pending, self._size = [], 0
            self._transport.write(data)

    def close(self) -> None:
        """Sends what was taken and closes."""
        self.flush()
        self._transport.close()


class CorkedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol over a corked transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins a connection."""
        self._corked = CorkedTransport(transport, self.loop.call_soon)
        super().connection_made(cast(asyncio.Transport, self._corked))

    def on_response_complete(self) -> None:
        """Sends what is complete, ahead of everything else that this turn of the event loop has to do."""
        self._corked.flush()
        super().on_response_complete()


class Server(uvicorn.Server):
    """Uvicorn that reports when it accepts requests and leaves signals to the engine."""

    def __init__(self, engine: Engine, started: Callable[[], None]) -> None:
        super().__init__(_config(engine))
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept requests."""
        await super().startup(sockets=sockets)
        self._started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield


def _config(engine: Engine) -> uvicorn.Config:
    return uvicorn.Config(
        engine,
        http=CorkedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=_DRAIN_S,
    )

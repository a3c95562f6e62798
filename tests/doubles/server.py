"""A server between AWS's clients and an endpoint: it knows each call; a hook decides what becomes of it."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.doubles import wire
from tests.doubles.wire import Call, Message

Forward = Callable[[Call], Awaitable[Message]]
"""Asks the endpoint behind; a call may be asked more than once, or not at all."""
Hook = Callable[[Call, Forward], Awaitable[Message]]
"""What a double does with one call: forwards it, answers by itself, changes the answer, raises `Dropped`."""

_LIMIT = 64 * 1024 * 1024
_PIECE = 64 * 1024


class Dropped(Exception):  # noqa: N818 - an event, not an error of ours
    """Closes the client's connection in the place of an answer."""


async def plain(call: Call, forward: Forward) -> Message:
    """The hook that changes nothing."""
    return await forward(call)


class Double:
    """One server on loopback, in a thread of its own. `calls` is what it saw, in order.

    Args:
        upstream: URL of the endpoint behind.
        hook: what becomes of each call; may be exchanged at any time.
        port: port to listen on; 0 takes a free one.
        host: loopback address to listen on.
        below: what the endpoint behind lacks; it stands between that and the hook.
    """

    def __init__(
        self,
        upstream: str,
        hook: Hook = plain,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        below: Hook = plain,
    ) -> None:
        self.hook = hook
        self._below = below
        self.calls: list[Call] = []
        self._number = 0
        self._upstream = urlsplit(upstream)
        self._port = port
        self._host = host
        # Held here: the loop refers to its tasks weakly, and a client that is cut off holds nothing.
        self._serving: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="double", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self._host}:{self._port}"

    def __enter__(self) -> Self:
        """Starts it."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops it; calls in flight are dropped."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def reset(self) -> None:
        """Forgets the calls so far and counts from 1 again."""
        self.calls.clear()
        self._number = 0

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, self._host, self._port, limit=_LIMIT)
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            while request := await wire.read(reader, writer):
                if ".lambda-url." in (request.header("host") or ""):
                    await self._pass_through(request, writer)
                    return
                self._number += 1
                call = wire.identify(request, self._number)
                self.calls.append(call)
                answer = await self.hook(call, self._forward)
                writer.write(
                    answer.head().encode("latin-1") if request.method == "HEAD" else answer.encoded()
                )
                await writer.drain()
        except (Dropped, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._serving.discard(task)

    async def _pass_through(self, request: Message, writer: asyncio.StreamWriter) -> None:
        """Traffic of an application that may stream: no call of AWS's, passed on as it comes."""
        host, port = self._upstream.hostname, self._upstream.port
        upstream, sending = await asyncio.open_connection(host, port)
        try:
            headers = (*request.headers, ("connection", "close"))
            sending.write(replace(request, headers=headers).encoded())
            while piece := await upstream.read(_PIECE):
                writer.write(piece)
                await writer.drain()
        finally:
            sending.close()

    def wait_idle(self) -> None:
        """Returns once all that clients which are gone had sent has had its effect, read yet or not.

        Connections are taken in their order: when a new one has been, those of the dead have been too, and
        each ends when it has been read to its end. No client may be left that keeps one open.
        """
        with contextlib.suppress(ConnectionError), socket.create_connection((self._host, self._port)) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
        while self._serving:
            time.sleep(0.001)

    async def _forward(self, call: Call) -> Message:
        return await self._below(call, self._send)

    async def _send(self, call: Call) -> Message:
        """The endpoint's answer, over a connection of its own: one that was kept could die in between."""
        host, port = self._upstream.hostname, self._upstream.port
        reader, writer = await asyncio.open_connection(host, port, limit=_LIMIT)
        try:
            headers = (*call.request.headers, ("connection", "close"))
            writer.write(replace(call.request, headers=headers).encoded())
            answer = await wire.read(reader, to_head=call.request.method == "HEAD")
        finally:
            writer.close()
        if answer is None:
            raise Dropped
        return answer

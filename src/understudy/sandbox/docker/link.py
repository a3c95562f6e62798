"""The connection to process 1 of one container: frames both ways, and the connections that it relays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from understudy.sandbox.docker import frames

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD_END = b"\r\n\r\n"


class Link(asyncio.Protocol):
    """What Docker's ``attach`` turned into.

    Attributes:
        on_frame: called with type, number and payload of what is not a relayed connection's.
        on_lost: called when the container or the connection ended, with what was said about it.
        listeners: what serves connections, by the number of the listener that they came in at.
    """

    def __init__(self) -> None:
        self.on_frame: Callable[[bytes, int, bytes], None] = _ignore
        self.on_lost: Callable[[str], None] = _lost
        self.listeners: dict[int, Callable[[], asyncio.Protocol]] = {}
        self._transport: asyncio.Transport | None = None
        self._demultiplexer = frames.Demultiplexer()
        self._head: bytes | None = b""
        self._attached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channels: dict[int, Channel] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class, same interface

    def data_received(self, data: bytes) -> None:
        """Takes the response's head, then frames."""
        if self._head is not None:
            head, found, data = (self._head + data).partition(_HEAD_END)
            if not found:
                self._head = head
                return
            self._head = None
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.abort()
                return
            if not self._attached.done():
                self._attached.set_result(None)
        for kind, number, payload in self._demultiplexer.feed(data):
            self._take(kind, number, payload)

    async def attached(self) -> None:
        """Waits until the container is on the other side.

        Raises:
            ConnectionError: it is not.
        """
        await self._attached

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends every relayed connection."""
        self._transport = None
        if not self._attached.done():
            self._attached.set_exception(ConnectionResetError(str(exc or "the Docker engine hung up")))
        for channel in tuple(self._channels.values()):
            channel.lost()
        self.on_lost(self._demultiplexer.stderr.decode("utf-8", "replace").strip())

    def send(self, frame: bytes) -> None:
        """Sends to process 1; one that is gone has nothing left to do."""
        if self._transport is not None:
            self._transport.write(frame)

    def end(self) -> None:
        """Ends process 1 and with it everything in the container."""
        self.send(frames.encode(b"Z"))

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def forget(self, number: int) -> None:
        """Takes note that connection `number` is over."""
        self._channels.pop(number, None)

    def _take(self, kind: bytes, number: int, payload: bytes) -> None:
        channel = self._channels.get(number)
        if kind == b"N":
            self._accept(number, int.from_bytes(payload, "big"))
        elif kind not in {b"D", b"E", b"C"}:
            self.on_frame(kind, number, payload)
        elif channel is not None:
            channel.take(kind, payload)

    def _accept(self, number: int, listener: int) -> None:
        serve = self.listeners.get(listener)
        if serve is None:
            self.send(frames.encode(b"B", number))
            return
        channel = Channel(self, number, serve())
        self._channels[number] = channel
        channel.protocol.connection_made(channel)


class Channel(asyncio.Transport):
    """A relayed connection, to the protocol that serves it."""

    def __init__(self, link: Link, number: int, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self._link = link
        self._number = number
        self._closing = False

    def take(self, kind: bytes, payload: bytes) -> None:
        """Gives the protocol what came in."""
        if kind == b"D":
            self.protocol.data_received(payload)
        elif kind == b"C":
            self.lost()
        elif not self.protocol.eof_received():
            self.close()

    def lost(self) -> None:
        """The other side is gone."""
        self._closing = True
        self._link.forget(self._number)
        self.protocol.connection_lost(None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends."""
        if not self._closing:
            self._link.send(frames.data(self._number, bytes(data)))

    def can_write_eof(self) -> bool:
        """A connection is closed one way at a time."""
        return True

    def write_eof(self) -> None:
        """Ends this way."""
        if not self._closing:
            self._link.send(frames.encode(b"E", self._number))

    def is_closing(self) -> bool:
        """Whether it was closed, here or there."""
        return self._closing

    def close(self) -> None:
        """Closes once everything is sent."""
        self._close(b"C")

    def abort(self) -> None:
        """Closes at once."""
        self._close(b"B")

    def _close(self, kind: bytes) -> None:
        if self._closing:
            return
        self._closing = True
        self._link.send(frames.encode(kind, self._number))
        self._link.forget(self._number)
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


def _ignore(kind: bytes, number: int, payload: bytes) -> None:
    del kind, number, payload


def _lost(text: str) -> None:
    del text

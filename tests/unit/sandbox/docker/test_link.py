"""Connections that process 1 relays, to the protocols that serve them."""

import asyncio
import struct
from typing import TYPE_CHECKING

import pytest

from understudy.sandbox.docker import frames
from understudy.sandbox.docker.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

ENDED = frames.encode(b"Z")
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is sent; `on_end` stands for a container that ends when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.aborted = False
        self.on_end: Callable[[], None] = lambda: None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)
        if data == ENDED:
            self.on_end()

    def abort(self) -> None:
        self.aborted = True


class Served(asyncio.Protocol):
    """Keeps what comes, and answers in capitals."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data.upper())

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.lost += 1


def connected() -> tuple[Link, Wire, list[Served]]:
    link, wire = Link(), Wire()
    served: list[Served] = []

    def serve() -> Served:
        served.append(Served())
        return served[-1]

    link.listeners[0] = serve
    link.connection_made(wire)
    link.data_received(UPGRADED[:20])
    link.data_received(UPGRADED[20:])
    return link, wire, served


def come(link: Link, *parts: bytes) -> None:
    content = b"".join(parts)
    link.data_received(struct.pack(">BxxxI", 1, len(content)) + content)


def opening(number: int, listener: int = 0) -> bytes:
    return frames.encode(b"N", number, struct.pack(">I", listener))


async def test_a_connection_is_served_both_ways() -> None:
    link, wire, served = connected()
    await link.attached()
    come(link, opening(1), opening(2), frames.encode(b"D", 2, b"ping"))
    assert wire.sent == frames.encode(b"D", 2, b"PING")
    assert len(served) == 2


async def test_a_close_from_there_is_a_lost_connection() -> None:
    link, wire, served = connected()
    come(link, opening(1), frames.encode(b"C", 1), frames.encode(b"D", 1, b"late"))
    assert served[0].lost == 1
    assert served[0].transport is not None
    served[0].transport.write(b"x")
    served[0].transport.close()
    assert wire.sent == b""


async def test_half_closing_there_closes_here() -> None:
    link, wire, served = connected()
    come(link, opening(1), frames.encode(b"E", 1))
    await asyncio.sleep(0)
    assert wire.sent == frames.encode(b"C", 1)
    assert served[0].lost == 1


async def test_aborting_and_half_closing_here_are_passed_on() -> None:
    link, wire, served = connected()
    come(link, opening(1))
    transport = served[0].transport
    assert transport is not None
    transport.write_eof()
    transport.abort()
    transport.abort()
    assert transport.is_closing()
    assert wire.sent == frames.encode(b"E", 1) + frames.encode(b"B", 1)


async def test_a_connection_that_nobody_serves_is_dropped() -> None:
    link, wire, served = connected()
    come(link, opening(7, listener=3))
    assert (wire.sent, served) == (frames.encode(b"B", 7), [])


async def test_what_is_no_connections_goes_to_the_sandbox() -> None:
    link, _, _ = connected()
    seen = []
    link.on_frame = lambda kind, number, payload: seen.append((kind, number, payload))
    come(link, frames.encode(b"O", 0, b"out"), frames.encode(b"R", 80))
    assert seen == [(b"O", 0, b"out"), (b"R", 80, b"")]


async def test_a_lost_container_takes_its_connections_along() -> None:
    link, wire, served = connected()
    told: list[str] = []
    link.on_lost = told.append
    come(link, opening(1))
    link.data_received(struct.pack(">BxxxI", 2, 5) + b"panic")
    link.connection_lost(None)
    assert (served[0].lost, told) == (1, ["panic"])
    link.send(b"x")
    link.end()
    assert wire.sent == b""


async def test_a_refused_attach_is_no_container() -> None:
    link, wire = Link(), Wire()
    link.connection_made(wire)
    link.data_received(b"HTTP/1.1 404 Not Found\r\n\r\n{}")
    assert wire.aborted
    link.connection_lost(None)
    with pytest.raises(ConnectionError, match="hung up"):
        await link.attached()

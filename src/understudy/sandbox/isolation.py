"""The network of a sandbox that is cut off: the Runtime API and named endpoints, nothing else.

The sandbox has a network namespace with a loopback device and no route. Sockets keep the namespace they were
made in, so process 1 makes the listening ones there and hands them over: the Runtime API accepts on one, an
endpoint's connections are passed on from another, and a third answers name look-ups. Every name resolves, to
an address of a test network that has no route: as in a VPC without NAT a connection goes nowhere, but it
fails at once (ENETUNREACH) instead of hanging, and the look-up is on record whatever language made it.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import platform
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from understudy.sandbox.model import Endpoint

LOOPBACK = "127.0.0.1"
RESOLVER = "127.0.0.53"
# RFC 2544's network for benchmarks: never routed, and nobody's own.
_NOWHERE = ipaddress.IPv4Address("198.18.0.1")
_NAMES_AT_MOST = 4096
_DNS_PORT = 53
_A, _AAAA = 1, 28
_CHUNK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One name that a process asked for.

    Attributes:
        name: without the final dot.
        address: what it was told; empty for a query that is not for addresses.
        at: seconds of the monotonic clock.
    """

    name: str
    address: str
    at: float


def sockets(reachable: Sequence[Endpoint]) -> list[list[str | int]]:
    """The sockets that process 1 makes, in the order that `Isolation` takes them."""
    wanted: list[list[str | int]] = [["tcp", LOOPBACK, 0], ["udp", RESOLVER, _DNS_PORT]]
    return wanted + [["tcp", _inside(endpoint), endpoint.port] for endpoint in reachable]


def resolver_files(reachable: Sequence[Endpoint]) -> dict[str, str]:
    """The name resolution files of the sandbox, by path."""
    names = [endpoint.host for endpoint in reachable if _address(endpoint.host) is None]
    # A function may look its own host up; it has the name of this machine.
    own = platform.node() or "localhost"
    lines = [f"{LOOPBACK} {name}" for name in dict.fromkeys(("localhost", own, *names))]
    return {
        "/etc/hosts": "".join(f"{line}\n" for line in lines),
        "/etc/resolv.conf": f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n",
    }


def _inside(endpoint: Endpoint) -> str:
    address = _address(endpoint.host)
    if address is None:
        return LOOPBACK
    if address.version == 4 and address.is_loopback:
        return str(address)
    raise UnderstudyError(
        "sandbox-endpoint",
        f"the endpoint {endpoint.host}:{endpoint.port} is neither a name nor a loopback address, "
        "so a sandbox with a network of its own cannot reach it",
        hint="name the endpoint by a host name, or add --network host",
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class Isolation:
    """Serves the sockets of one cut-off sandbox.

    Attributes:
        runtime_listener: where the Runtime API accepts; `None` without sockets.

    Args:
        reachable: endpoints to pass connections on to.
        handed_over: sockets after `sockets`, in its order; none where something else accepts and calls
            `answer` and `relay`.
    """

    def __init__(self, reachable: Sequence[Endpoint], handed_over: Sequence[socket.socket] = ()) -> None:
        self.runtime_listener: socket.socket | None = None
        self._resolver_socket: socket.socket | None = None
        self._listeners: list[socket.socket] = []
        if handed_over:
            self.runtime_listener, self._resolver_socket, *self._listeners = handed_over
        self._reachable = tuple(reachable)
        self._resolver = Resolver()
        self._transport: asyncio.DatagramTransport | None = None
        self._servers: list[asyncio.Server] = []
        self._relays: set[_Relay] = set()

    def answer(self, query: bytes) -> bytes | None:
        """The response to a DNS query, `None` when it cannot be read."""
        return self._resolver.respond(query)

    def relay(self, endpoint: Endpoint) -> Callable[[], asyncio.Protocol]:
        """What serves a connection to `endpoint`."""
        return functools.partial(_Relay, endpoint, self._relays)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The names asked for so far."""
        return tuple(self._resolver.lookups)

    def name_of(self, address: str) -> str:
        """The name that was resolved to `address`, or the address itself."""
        return self._resolver.names.get(address, address)

    async def open(self) -> None:
        """Starts answering look-ups and passing connections on."""
        loop = asyncio.get_running_loop()
        for each in (self.runtime_listener, self._resolver_socket, *self._listeners):
            if each is not None:
                each.setblocking(False)
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self._resolver, sock=self._resolver_socket
        )
        for endpoint, listener in zip(self._reachable, self._listeners, strict=True):
            self._servers.append(await loop.create_server(self.relay(endpoint), sock=listener))

    async def close(self) -> None:
        """Stops; idempotent. The Runtime API's listener is closed by who accepts on it."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for server in self._servers:
            server.close()
            await server.wait_closed()
        self._servers.clear()
        for relay in tuple(self._relays):
            relay.abort()


class Resolver(asyncio.DatagramProtocol):
    """Answers DNS queries (RFC 1035) for addresses with one that leads nowhere, a different one per name."""

    def __init__(self) -> None:
        self.lookups: list[Lookup] = []
        self.names: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answers a query; what cannot be read is dropped, as a resolver may."""
        answer = self.respond(data)
        if answer is not None:
            self._transport.sendto(answer, addr)

    def respond(self, query: bytes) -> bytes | None:
        """The response to `query`, or `None` when it cannot be read."""
        try:
            return self.answer(query)
        except (struct.error, IndexError, UnicodeDecodeError):
            return None

    def answer(self, query: bytes) -> bytes:
        """The response to `query`, whose name is put on record."""
        identifier, _, questions = struct.unpack(">HHH", query[:6])
        name, end = _name(query, 12)
        kind, _ = struct.unpack(">HH", query[end : end + 4])
        question = query[12 : end + 4]
        if questions != 1 or kind not in {_A, _AAAA}:
            return struct.pack(">HHHHHH", identifier, 0x8183, 1, 0, 0, 0) + question
        address = self._address_of(name)
        self._record(name, address)
        if kind == _AAAA:
            return struct.pack(">HHHHHH", identifier, 0x8180, 1, 0, 0, 0) + question
        packed = ipaddress.IPv4Address(address).packed
        record = struct.pack(">HHHIH", 0xC00C, _A, 1, 1, 4) + packed
        return struct.pack(">HHHHHH", identifier, 0x8180, 1, 1, 0, 0) + question + record

    def _address_of(self, name: str) -> str:
        if name not in self._addresses:
            number = len(self._addresses) % _NAMES_AT_MOST
            self._addresses[name] = address = str(_NOWHERE + number)
            self.names[address] = name
        return self._addresses[name]

    def _record(self, name: str, address: str) -> None:
        # A and AAAA are asked together; one look-up is one entry.
        last = self.lookups[-1] if self.lookups else None
        if (last is None or last.name != name) and len(self.lookups) < _NAMES_AT_MOST:
            self.lookups.append(Lookup(name=name, address=address, at=time.monotonic()))


def _name(message: bytes, at: int) -> tuple[str, int]:
    labels = []
    while (length := message[at]) != 0:
        labels.append(message[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(labels).lower(), at + 1


class _Relay(asyncio.Protocol):
    """One side of a passed-on connection; the first side opens the second."""

    def __init__(self, endpoint: Endpoint, live: set[_Relay], other: _Relay | None = None) -> None:
        self._endpoint = endpoint
        self._live = live
        self._other = other
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._half_closed = False
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Opens the other side."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class, same interface
        self._live.add(self)
        if self._other is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, other = await loop.create_connection(
                lambda: _Relay(self._endpoint, self._live, self), self._endpoint.host, self._endpoint.port
            )
        except OSError:
            # Nobody listens there: the connection ends as soon as it began, which is as near as it gets.
            self.end()
            return
        self._other = other
        for data in self._waiting:
            other.send(data)
        self._waiting.clear()
        if self._half_closed:
            other.end_sending()
        if self._transport is None:
            other.end()

    def data_received(self, data: bytes) -> None:
        """Passes on; backpressure is left out, messages here are small."""
        if self._other is None:
            self._waiting.append(data)
        else:
            self._other.send(data)

    def eof_received(self) -> bool:
        """Passes the half-close on; the second one ends both sides."""
        self._half_closed = True
        if self._other is None:
            return True
        self._other.end_sending()
        return not self._other._half_closed

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the other side too."""
        del exc
        self._transport = None
        self._live.discard(self)
        if self._other is not None:
            self._other.end()

    def send(self, data: bytes) -> None:
        """Sends to this side's peer."""
        if self._transport is not None:
            self._transport.write(data)

    def end_sending(self) -> None:
        """Half-closes this side."""
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def abort(self) -> None:
        """Closes this side at once and gives up opening the other."""
        if self._opening is not None:
            self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        """Closes this side once what was written is sent."""
        if self._transport is not None:
            self._transport.close()

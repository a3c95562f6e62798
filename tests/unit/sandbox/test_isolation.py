"""The network of a cut-off sandbox: which sockets it wants, what its resolver answers, what it passes on."""

import asyncio
import socket
import struct

import pytest

from understudy.errors import UnderstudyError
from understudy.sandbox import isolation
from understudy.sandbox.isolation import Isolation, Resolver
from understudy.sandbox.model import Endpoint


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def test_an_endpoint_by_name_is_reached_on_the_loopback_address_under_its_name() -> None:
    reachable = [Endpoint(host="engine.test", port=4566), Endpoint(host="127.0.0.2", port=1)]
    assert isolation.sockets(reachable)[2:] == [["tcp", "127.0.0.1", 4566], ["tcp", "127.0.0.2", 1]]
    files = isolation.resolver_files(reachable)
    assert files["/etc/hosts"].startswith("127.0.0.1 localhost\n")
    assert files["/etc/hosts"].endswith("127.0.0.1 engine.test\n")


@pytest.mark.parametrize("host", ["10.0.0.1", "::1"])
def test_refuses_an_endpoint_that_loopback_cannot_stand_for(host: str) -> None:
    with pytest.raises(UnderstudyError, match="neither a name nor a loopback address"):
        isolation.sockets([Endpoint(host=host, port=80)])


def test_resolver_gives_each_name_an_address_of_its_own() -> None:
    resolver = Resolver()
    first = resolver.answer(query("a.test"))
    resolver.answer(query("A.test", kind=28))
    second = resolver.answer(query("b.test"))
    assert first[-4:] == bytes([198, 18, 0, 1])
    assert second[-4:] == bytes([198, 18, 0, 2])
    assert [lookup.name for lookup in resolver.lookups] == ["a.test", "b.test"]
    assert resolver.names["198.18.0.2"] == "b.test"


def test_resolver_has_no_other_records_and_keeps_them_off_the_record() -> None:
    resolver = Resolver()
    answer = resolver.answer(query("1.0.0.127.in-addr.arpa", kind=12))
    assert answer[3] & 0x0F == 3
    assert resolver.lookups == []


def test_resolver_drops_what_is_no_query() -> None:
    resolver = Resolver()
    resolver.datagram_received(b"nonsense", ("127.0.0.1", 1))
    resolver.datagram_received(query("a.test")[:14], ("127.0.0.1", 1))
    assert resolver.lookups == []


async def test_connections_are_passed_on_with_their_ends() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    engine = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = [socket.create_server(("127.0.0.1", 0)), socket.socket(type=socket.SOCK_DGRAM)]
    made[1].bind(("127.0.0.1", 0))
    made.append(socket.create_server(("127.0.0.1", 0)))
    port = made[2].getsockname()[1]
    own = Isolation([Endpoint(host="127.0.0.1", port=engine.sockets[0].getsockname()[1])], made)
    await own.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"ping")
    writer.write_eof()
    assert await reader.read() == b"PING"
    writer.close()
    await writer.wait_closed()
    await own.close()
    made[0].close()
    engine.close()
    await engine.wait_closed()

"""The proxy against servers that do what real ones do: keep, drop, cut off, or answer early."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.fakes.asgi import ask, scope
from understudy.engine.delegate.proxy import HttpProxy, UpstreamGoneError

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-kept: yes\r\nserver: other\r\n\r\nok"


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[HttpProxy]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = HttpProxy("127.0.0.1", server.sockets[0].getsockname()[1], extra_headers=[(b"x-token", b"t")])
    try:
        yield proxy
    finally:
        proxy.close()
        server.close()
        await server.wait_closed()


async def _head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_headers_pass_both_ways_but_for_hop_by_hop_ones() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _head(reader))
        writer.write(OK)

    async with upstream(script) as proxy:
        headers = {
            "host": "b.s3.localhost:4566",
            "connection": "x",
            "x-token": "forged",
            "expect": "100-continue",
        }
        answer = await ask(proxy.forward, scope("GET", "/a%2Fb", headers, query="x=1&y"))
    assert seen[0].startswith(b"GET /a%2Fb?x=1&y HTTP/1.1\r\n")
    assert b"host: b.s3.localhost:4566\r\n" in seen[0]
    assert seen[0].count(b"x-token: ") == 1
    assert b"x-token: t\r\n" in seen[0]
    assert b"expect" not in seen[0]
    assert answer.headers == {"content-length": "2", "x-kept": "yes"}


async def test_connections_are_kept_and_a_dropped_one_is_replaced() -> None:
    served: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(0)
        for _ in range(2):
            await _head(reader)
            served[-1] += 1
            writer.write(OK)
        await _head(reader)  # the third request finds the connection closed under it

    async with upstream(script) as proxy:
        for _ in range(5):
            assert (await ask(proxy.forward, scope("GET", "/"))).body == b"ok"
    assert served == [2, 2, 1]


async def test_a_head_answer_has_a_length_and_no_body() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await _head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")

    async with upstream(script) as proxy:
        for _ in range(2):
            answer = await ask(proxy.forward, scope("HEAD", "/x"))
            assert (answer.headers["content-length"], answer.body) == ("5000", b"")


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nabcdef", id="until-the-connection-ends"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
            id="chunked",
        ),
        pytest.param(
            b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef", id="after-1xx"
        ),
    ],
)
async def test_every_framing_of_an_answer(wire: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        for at in range(0, len(wire), 7):
            writer.write(wire[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)

    async with upstream(script) as proxy:
        assert (await ask(proxy.forward, scope("GET", "/"))).body == b"abcdef"


@pytest.mark.parametrize(
    "wire", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", b"nonsense\r\n\r\n"]
)
async def test_an_answer_that_is_cut_off_is_an_error(wire: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        writer.write(wire)

    async with upstream(script) as proxy:
        with pytest.raises(UpstreamGoneError):
            await ask(proxy.forward, scope("GET", "/"))


async def test_a_body_without_length_goes_on_in_chunks() -> None:
    received: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"transfer-encoding: chunked" in await _head(reader)
        received.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(OK)

    async with upstream(script) as proxy:
        answer = await ask(
            proxy.forward, scope("PUT", "/", {"transfer-encoding": "chunked"}), [b"ab", b"", b"c"]
        )
    assert answer.status == 200
    assert received == [b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"]


async def test_a_chunked_body_that_arrived_whole_gets_its_length() -> None:
    received: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"content-length: 3\r\n" in await _head(reader)
        received.append(await reader.readexactly(3))
        writer.write(OK)

    async with upstream(script) as proxy:
        answer = await ask(proxy.forward, scope("PUT", "/", {"transfer-encoding": "chunked"}), [b"abc"])
    assert (answer.status, received) == (200, [b"abc"])


async def test_an_early_answer_ends_a_large_upload() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await reader.read()

    pieces = [b"x" * 65536] * 64
    async with upstream(script) as proxy:
        request = scope("PUT", "/", {"content-length": str(sum(map(len, pieces)))})
        assert (await ask(proxy.forward, request, pieces)).status == 403

"""Order, backpressure and the end of a stream."""

import asyncio

import pytest

from understudy.sandbox.response_stream import ResponseStream


class Transport:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def begun() -> tuple[ResponseStream, Transport]:
    stream, transport = ResponseStream(), Transport()
    stream.begin("text/plain", transport)
    return stream, transport


async def test_reader_waits_for_what_is_fed_and_for_the_end() -> None:
    stream, _ = begun()

    async def read() -> list[bytes]:
        return [chunk async for chunk in stream]

    reading = asyncio.create_task(read())
    for chunk in (b"a", b"b"):
        stream.feed(chunk)
        await asyncio.sleep(0)
    stream.end()
    assert await reading == [b"a", b"b"]


async def test_runtime_is_held_back_while_the_client_takes_nothing() -> None:
    stream, transport = begun()
    for _ in range(3):
        stream.feed(b"x" * 40_000)
    assert transport.calls == ["pause"]
    await anext(stream)
    assert transport.calls == ["pause"]
    await anext(stream)
    assert transport.calls == ["pause", "resume"]


async def test_a_client_that_is_gone_holds_nothing_back() -> None:
    stream, transport = begun()
    stream.feed(b"x" * 100_000)
    stream.abandon()
    stream.feed(b"x" * 100_000)
    assert transport.calls == ["pause", "resume"]
    stream.end()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_an_invocation_without_a_stream_never_starts_one() -> None:
    stream = ResponseStream()
    stream.end()
    assert not await stream.started()
    stream, _ = begun()
    assert await stream.started()

"""The Runtime API over raw sockets: status codes, bodies, state machine, framing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from understudy.sandbox import model
from understudy.sandbox.response_stream import ResponseStream
from understudy.sandbox.runtime_api import Answer, RuntimeApi, State


@dataclass
class Seen:
    api: RuntimeApi
    ready: int = 0
    answers: list[Answer] = field(default_factory=list)
    init_errors: list[Answer] = field(default_factory=list)


@pytest.fixture
async def seen() -> AsyncIterator[Seen]:
    api = RuntimeApi()
    found = Seen(api)

    def ready() -> None:
        found.ready += 1

    api.on_ready = ready
    api.on_answer = found.answers.append
    api.on_init_error = found.init_errors.append
    await api.open()
    yield found
    await api.close()


class Wire:
    """A raw connection to the API."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, api: RuntimeApi) -> "Wire":
        host, port = api.address.split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    def send(self, method: str, path: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"{method} /2018-06-01/runtime/{path} HTTP/1.1", "Host: x", *headers]
        lines.append(f"Content-Length: {len(body)}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    async def read(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(5):
            status = int((await self.reader.readline()).split()[1])
            headers: dict[str, str] = {}
            while (line := (await self.reader.readline()).strip()) != b"":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", "0"))
            return status, headers, await self.reader.readexactly(length)

    async def call(
        self, method: str, path: str, body: bytes = b"", *headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        self.send(method, path, body, *headers)
        return await self.read()

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
async def wire(seen: Seen) -> AsyncIterator[Wire]:
    connection = await Wire.connect(seen.api)
    yield connection
    connection.close()


async def until(check: Callable[[], bool]) -> None:
    """Lets the loop turn until `check` holds; loopback needs a few turns."""
    for _ in range(100_000):
        if check():
            return
        await asyncio.sleep(0)
    pytest.fail("the API never got there")


async def take(seen: Seen, wire: Wire, request_id: str = "r-1", payload: bytes = b"{}") -> None:
    """Has the runtime ask, and hands it an invocation."""
    wire.send("GET", "invocation/next")
    await until(lambda: seen.api.state is State.READY)
    seen.api.dispatch(request_id, b"Lambda-Runtime-Aws-Request-Id: r-1\r\n", payload)
    status, _, body = await wire.read()
    assert (status, body) == (200, payload)


async def test_next_waits_until_there_is_an_invocation(seen: Seen, wire: Wire) -> None:
    wire.send("GET", "invocation/next")
    await until(lambda: seen.ready == 1)
    seen.api.dispatch("r-1", b"Lambda-Runtime-Aws-Request-Id: r-1\r\nX: y\r\n", b'{"a":1}')
    status, headers, body = await wire.read()
    assert status == 200
    assert headers["lambda-runtime-aws-request-id"] == "r-1"
    assert headers["content-type"] == "application/json"
    assert body == b'{"a":1}'


async def test_response_is_accepted_once(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    status, _, body = await wire.call("POST", "invocation/r-1/response", b'"ok"')
    assert status == 202
    assert json.loads(body) == {"status": "OK"}
    status, _, body = await wire.call("POST", "invocation/r-1/response", b'"again"')
    assert status == 403
    assert json.loads(body)["errorType"] == "InvalidStateTransition"
    assert [answer.body for answer in seen.answers] == [b'"ok"']


async def test_one_connection_serves_many_invocations(seen: Seen, wire: Wire) -> None:
    for number in range(3):
        await take(seen, wire, payload=b"%d" % number)
        assert (await wire.call("POST", "invocation/r-1/response", b"%d" % number))[0] == 202
    assert [answer.body for answer in seen.answers] == [b"0", b"1", b"2"]


async def test_error_names_its_type_by_header_else_by_body(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    header = "Lambda-Runtime-Function-Error-Type: Runtime.X"
    assert (await wire.call("POST", "invocation/r-1/error", b'{"errorType":"Y"}', header))[0] == 202
    await take(seen, wire)
    await wire.call("POST", "invocation/r-1/error", b'{"errorType":"Y"}')
    await take(seen, wire)
    await wire.call("POST", "invocation/r-1/error", b"not json")
    assert [answer.error_type for answer in seen.answers] == ["Runtime.X", "Y", "Runtime.Unknown"]


@pytest.mark.parametrize("verb", ["response", "error"])
async def test_unknown_request_id_is_400(seen: Seen, wire: Wire, verb: str) -> None:
    await take(seen, wire)
    status, _, body = await wire.call("POST", f"invocation/other/{verb}", b"{}")
    assert status == 400
    assert json.loads(body) == {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}


async def test_next_while_an_invocation_runs_is_403(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    status, _, body = await wire.call("GET", "invocation/next")
    assert status == 403
    assert json.loads(body)["errorMessage"] == (
        "Transition from Running to Ready failed for runtime. Error: State transition is not allowed"
    )


async def test_init_error_is_held_until_released(seen: Seen, wire: Wire) -> None:
    wire.send("POST", "init/error", b"{}", "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError")
    await until(lambda: bool(seen.init_errors))
    assert seen.init_errors[0].error_type == "Runtime.ImportModuleError"
    seen.api.release()
    assert (await wire.read())[0] == 202


async def test_init_error_after_init_is_403(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    assert (await wire.call("POST", "init/error", b"{}"))[0] == 403


@pytest.mark.parametrize("path", ["invocation/r-1/nonsense", "extension/register", ""])
async def test_unknown_path_is_404(seen: Seen, wire: Wire, path: str) -> None:
    del seen
    assert (await wire.call("POST", path, b"{}"))[0] == 404


async def test_body_at_the_limit_passes_and_above_is_413(seen: Seen, wire: Wire) -> None:
    limit = 6 * 1024 * 1024 + 100
    await take(seen, wire)
    assert (await wire.call("POST", "invocation/r-1/response", b"x" * limit))[0] == 202
    await take(seen, wire)
    status, _, body = await wire.call("POST", "invocation/r-1/response", b"x" * (limit + 1))
    assert status == 413
    assert json.loads(body) == {
        "errorMessage": "Exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "RequestEntityTooLarge",
    }
    assert [answer.too_large for answer in seen.answers] == [False, True]


async def test_client_that_expects_100_continue_gets_it_first(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    head = (
        "POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\nHost: x\r\n"
        "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    )
    wire.writer.write(head.encode())
    assert (await wire.read())[0] == 100
    wire.writer.write(b"null")
    assert (await wire.read())[0] == 202
    assert seen.answers[0].body == b"null"


async def test_chunked_streaming_response_is_collected(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    wire.writer.write(
        b"POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\nHost: x\r\n"
        b"Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/plain\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    )
    wire.writer.write(b"2\r\nde\r\n0\r\n\r\n")
    assert (await wire.read())[0] == 202
    assert seen.answers[0].body == b"abcde"
    assert seen.answers[0].streaming
    assert seen.answers[0].content_type == "text/plain"


HEAD = (
    b"POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\nHost: x\r\n"
    b"Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n\r\n"
)


async def take_streaming(seen: Seen, wire: Wire) -> ResponseStream:
    wire.send("GET", "invocation/next")
    await until(lambda: seen.api.state is State.READY)
    stream = ResponseStream()
    seen.api.dispatch("r-1", b"", b"{}", stream)
    await wire.read()
    return stream


async def test_a_streamed_chunk_arrives_before_the_next_is_sent(seen: Seen, wire: Wire) -> None:
    stream = await take_streaming(seen, wire)
    wire.writer.write(HEAD)
    assert await stream.started()
    assert stream.content_type == "text/event-stream"
    wire.writer.write(b"3\r\none\r\n")
    assert await anext(stream) == b"one"
    assert seen.answers == []
    wire.writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
    assert await anext(stream) == b"two"
    assert (await wire.read())[0] == 202
    assert (seen.answers[0].body, seen.answers[0].error_type) == (b"", None)
    assert seen.api.state is State.RESPONSE_SENT


async def test_the_trailers_of_a_stream_are_its_error(seen: Seen, wire: Wire) -> None:
    await take_streaming(seen, wire)
    wire.writer.write(HEAD + b"2\r\nab\r\n0\r\nLambda-Runtime-Function-Error-Type: Own.Error\r\n")
    wire.writer.write(b"Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n\r\n")
    assert (await wire.read())[0] == 202
    assert (seen.answers[0].error_type, seen.answers[0].body) == ("Own.Error", b'{"a":1}')


async def test_a_stream_that_breaks_off_is_truncated(seen: Seen, wire: Wire) -> None:
    await take_streaming(seen, wire)
    wire.writer.write(HEAD + b"2\r\nab\r\n")
    await until(lambda: seen.api.state is State.RESPONDING)
    wire.close()
    await until(lambda: bool(seen.answers))
    assert seen.answers[0].truncated


async def test_no_second_response_and_no_next_while_one_is_streamed(seen: Seen, wire: Wire) -> None:
    await take_streaming(seen, wire)
    wire.writer.write(HEAD)
    await until(lambda: seen.api.state is State.RESPONDING)
    other = await Wire.connect(seen.api)
    try:
        assert (await other.call("POST", "invocation/r-1/response", b"{}"))[0] == 403
        assert (await other.call("GET", "invocation/next"))[0] == 403
    finally:
        other.close()


async def test_a_stream_above_its_limit_is_413(
    seen: Seen, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.sandbox.runtime_api.MAX_STREAMED_BYTES", 4)
    assert model.MAX_STREAMED_BYTES == 209_715_200
    stream = await take_streaming(seen, wire)
    wire.writer.write(HEAD + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert (await wire.read())[0] == 413
    stream.end()
    assert [chunk async for chunk in stream] == [b"abc"]
    assert seen.answers[0].too_large


async def test_unknown_response_mode_is_400(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    mode = "Lambda-Runtime-Function-Response-Mode: telepathic"
    status, _, body = await wire.call("POST", "invocation/r-1/response", b"{}", mode)
    assert status == 400
    assert json.loads(body)["errorType"] == "InvalidFunctionResponseMode"


async def test_request_split_into_single_bytes_is_understood(seen: Seen, wire: Wire) -> None:
    await take(seen, wire)
    whole = (
        b"POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\nHost: x\r\n"
        b"Content-Length: 4\r\n\r\nnull"
    )
    for at in range(len(whole)):
        wire.writer.write(whole[at : at + 1])
        await wire.writer.drain()
        await asyncio.sleep(0)
    assert (await wire.read())[0] == 202


async def test_garbage_is_400_and_closes(seen: Seen, wire: Wire) -> None:
    del seen
    wire.writer.write(b"\x00\x01garbage\r\n\r\n")
    assert (await wire.read())[0] == 400
    assert await wire.reader.read() == b""


async def test_runtime_that_hangs_up_is_not_waiting_any_more(seen: Seen, wire: Wire) -> None:
    wire.send("GET", "invocation/next")
    await until(lambda: seen.ready == 1)
    wire.close()
    await until(lambda: seen.api.state is State.STARTED)
    again = await Wire.connect(seen.api)
    await take(seen, again)
    again.close()


async def test_reset_drops_the_runtimes_connections(seen: Seen, wire: Wire) -> None:
    wire.send("GET", "invocation/next")
    await until(lambda: seen.ready == 1)
    seen.api.reset()
    with pytest.raises((ConnectionError, IndexError)):
        await wire.read()
    assert seen.api.state is State.STARTED


async def test_dispatch_without_a_waiting_runtime_is_a_bug(seen: Seen) -> None:
    with pytest.raises(RuntimeError, match="no runtime"):
        seen.api.dispatch("r-1", b"", b"")

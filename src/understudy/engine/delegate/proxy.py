"""Forwards ASGI requests to another HTTP server over pooled keep-alive connections, streaming both ways.

Built on httptools and asyncio transports because the general clients cost several times the hop itself
(docs/decisions/0020). Bodies flow chunk by chunk with backpressure in both directions, so memory stays flat
whatever their size. Host, query and every end-to-end header pass untouched: presigned URLs and S3's
virtual-host addressing depend on them. Aws-chunked bodies are just bytes here.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import cast

import httptools

from understudy.engine.protocol import Receive, Scope, Send

MAX_IDLE = 64
_HIGH_WATER_BYTES = 512 * 1024
_GATHERED_BYTES = 256 * 1024
# RFC 9110 section 7.6.1; `expect` is answered by our own server when the body is first read.
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"expect",
    )
)
# Our own server writes these.
_ANSWERED_HERE = _HOP_BY_HOP | {b"date", b"server"}

Header = tuple[bytes, bytes]


class UpstreamGoneError(Exception):
    """The upstream server closed the connection before its answer was complete.

    Attributes:
        untouched: whether not a byte of an answer had arrived, so the same request may be sent again.
    """

    def __init__(self, *, untouched: bool) -> None:
        super().__init__("the upstream server closed the connection")
        self.untouched = untouched


class _Connection(asyncio.Protocol):
    """One keep-alive connection; carries one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.fresh = True
        self.reusable = True
        self._writable = asyncio.Event()
        self._writable.set()
        self._wakeup: asyncio.Future[None] | None = None
        self.begin(head_only=False)

    def begin(self, *, head_only: bool) -> None:
        """Forgets the previous answer and prepares for the next."""
        self._parser = httptools.HttpResponseParser(self)
        self._head_only = head_only
        self.status = 0
        self.headers: list[Header] = []
        self.headers_done = False
        self.complete = False
        self.keep_alive = True
        self.touched = False
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._paused = False
        self._until_eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport by class, only by behaviour.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.closed = True
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self.touched = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self.complete:
                self.close()
        self._wake()

    def eof_received(self) -> None:
        if self.headers_done and self._until_eof:
            self.complete = True
        self._wake()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self.headers = []
            return
        self.status = status
        self.headers_done = True
        self.keep_alive = self._parser.should_keep_alive()
        framing = (b"content-length", b"transfer-encoding")
        # RFC 9112 section 6.3: without a length, the body ends with the connection.
        self._until_eof = not any(name in framing for name, _ in self.headers)
        if self._head_only:
            # A HEAD answer declares a length and sends nothing, which the parser cannot know.
            self.complete = True

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)
        self._buffered += len(body)
        if self._buffered > _HIGH_WATER_BYTES and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        if self.headers_done:
            self.complete = True

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    async def _progress(self) -> None:
        """Waits until something has arrived.

        Raises:
            UpstreamGoneError: nothing more will.
        """
        if self.closed:
            raise UpstreamGoneError(untouched=not self.touched)
        self._wakeup = asyncio.get_running_loop().create_future()
        try:
            await self._wakeup
        finally:
            self._wakeup = None

    async def answer_head(self) -> None:
        """Waits for status and headers."""
        while not self.headers_done:
            await self._progress()

    async def next_chunk(self) -> bytes:
        """Returns the next piece of the body, or nothing at its end."""
        while not self._chunks:
            if self.complete:
                return b""
            await self._progress()
        chunk = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._paused and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        return chunk

    def whole_body(self) -> bytes | None:
        """Returns, once, what is left of the body when it has arrived completely, else None."""
        if not self.complete:
            return None
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        return body

    def write_body(self, data: bytes, *, chunked: bool) -> None:
        """Sends a piece of the request's body in its framing."""
        if data and chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if data:
            self.write(data)

    def write(self, data: bytes) -> None:
        if self.transport is None or self.closed:
            raise UpstreamGoneError(untouched=not self.touched)
        self.transport.write(data)

    async def drain(self) -> None:
        await self._writable.wait()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class HttpProxy:
    """A pool of connections to one server.

    Args:
        extra_headers: added to every request, replacing those of the same name.
    """

    def __init__(self, host: str, port: int, *, extra_headers: Sequence[Header] = ()) -> None:
        self._host = host
        self._port = port
        self._extra = b"".join(name + b": " + value + b"\r\n" for name, value in extra_headers)
        self._dropped = _HOP_BY_HOP | {name for name, _ in extra_headers}
        self._idle: list[_Connection] = []

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers an ASGI request with the upstream server's answer.

        Raises:
            UpstreamGoneError: the server went away before its answer was complete.
            OSError: the server cannot be reached.
        """
        first = await receive()
        if first["type"] == "http.disconnect":
            return
        body: bytes = first.get("body", b"")
        more = first.get("more_body", False)
        if more and _length(scope) <= _GATHERED_BYTES:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body += message.get("body", b"")
                more = message.get("more_body", False)
        if more:
            connection = await self._stream(scope, body, receive)
        else:
            connection = await self._exchange(scope, body)
        try:
            await _answer(connection, send)
        finally:
            self._release(connection)

    async def _exchange(self, scope: Scope, body: bytes) -> _Connection:
        """Sends a request that is complete and waits for the head of its answer.

        A kept connection that the server closed meanwhile is replaced once, as every HTTP client does.
        """
        # A body sent in chunks may have arrived whole: then it has no length yet.
        length = b"content-length: %d\r\n" % len(body) if body and _length(scope) == math.inf else b""
        data = self._request_head(scope, length) + body
        connection = await self._acquire(fresh=False)
        try:
            return await _send_whole(connection, data, head_only=scope["method"] == "HEAD")
        except UpstreamGoneError as gone:
            if connection.fresh or not gone.untouched:
                raise
        return await _send_whole(await self._acquire(fresh=True), data, head_only=scope["method"] == "HEAD")

    async def _stream(self, scope: Scope, first: bytes, receive: Receive) -> _Connection:
        """Sends a request while its body arrives; on a new connection, because it cannot be repeated."""
        chunked = _length(scope) == math.inf
        connection = await self._acquire(fresh=True)
        connection.begin(head_only=False)
        try:
            connection.write(self._request_head(scope, b"transfer-encoding: chunked\r\n" if chunked else b""))
            connection.write_body(first, chunked=chunked)
            more = True
            while more and not connection.headers_done:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise UpstreamGoneError(untouched=False)
                more = message.get("more_body", False)
                connection.write_body(message.get("body", b""), chunked=chunked)
                await connection.drain()
            if chunked and not more:
                connection.write(b"0\r\n\r\n")
            await connection.answer_head()
        except BaseException:
            connection.close()
            raise
        # An answer that came before the whole body was sent leaves the connection unusable.
        connection.reusable = not more
        return connection

    async def _acquire(self, *, fresh: bool) -> _Connection:
        while self._idle and not fresh:
            connection = self._idle.pop()
            if not connection.closed:
                connection.fresh = False
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection

    def _release(self, connection: _Connection) -> None:
        kept = connection.complete and connection.reusable and connection.keep_alive
        if kept and not connection.closed and len(self._idle) < MAX_IDLE:
            self._idle.append(connection)
            return
        connection.close()

    def _request_head(self, scope: Scope, framing: bytes) -> bytes:
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        lines = [scope["method"].encode(), b" ", target, b" HTTP/1.1\r\n"]
        dropped = self._dropped
        for name, value in scope["headers"]:
            if name not in dropped:
                lines += (name, b": ", value, b"\r\n")
        lines += (framing, self._extra, b"\r\n")
        return b"".join(lines)


def _length(scope: Scope) -> float:
    """Returns the declared length of a request's body; infinite when it comes in chunks."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return math.inf


async def _send_whole(connection: _Connection, data: bytes, *, head_only: bool) -> _Connection:
    connection.begin(head_only=head_only)
    try:
        connection.write(data)
        await connection.answer_head()
    except BaseException:
        connection.close()
        raise
    return connection


async def _answer(connection: _Connection, send: Send) -> None:
    """Passes an answer on; its head waits for the first of the body, so that a small answer is one packet."""
    chunk = connection.whole_body()
    if chunk is None:
        chunk = await connection.next_chunk()
    headers = [header for header in connection.headers if header[0] not in _ANSWERED_HERE]
    await send({"type": "http.response.start", "status": connection.status, "headers": headers})
    while not connection.complete:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        chunk = await connection.next_chunk()
    rest = connection.whole_body() or b""
    await send({"type": "http.response.body", "body": chunk + rest if rest else chunk})

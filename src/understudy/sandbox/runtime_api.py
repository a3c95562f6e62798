"""Lambda's Runtime API for one execution environment: the hot path of every invocation.

One listener on loopback, one `asyncio.Protocol` per connection, no framework, no task per request: a
request of the runtime is answered in the callback that parsed it. The contract is
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; state names and error texts follow AWS's own
emulator (aws-lambda-runtime-interface-emulator, `lambda/rapi`). Refuses to know processes, timeouts or logs.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import enum
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httptools

from understudy.sandbox.extensions import Extensions
from understudy.sandbox.model import MAX_RESPONSE_BYTES, MAX_STREAMED_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from understudy.sandbox.executor import Doorway
    from understudy.sandbox.model import InvokeRequest
    from understudy.sandbox.response_stream import ResponseStream

_PREFIX = b"/2018-06-01/runtime/"
_INVOCATION = _PREFIX + b"invocation/"
_NEXT = _INVOCATION + b"next"
_INIT_ERROR = _PREFIX + b"init/error"
_ACCEPTED = (
    b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {400: b"Bad Request", 403: b"Forbidden", 404: b"Not Found", 413: b"Request Entity Too Large"}
_KEPT_HEADERS = {
    b"expect",
    b"content-type",
    b"lambda-extension-function-error-type",
    b"lambda-extension-identifier",
    b"lambda-extension-name",
    b"lambda-runtime-function-error-body",
    b"lambda-runtime-function-error-type",
    b"lambda-runtime-function-response-mode",
}


class State(enum.Enum):
    """Where the runtime stands, by the names that AWS's error texts use."""

    STARTED = "Started"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "InvocationResponse"
    RESPONSE_SENT = "ResponseSent"
    INIT_ERROR = "InitError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the runtime posted for an invocation or about its init phase.

    Attributes:
        body: as posted; the error document when a stream ended in an error; empty for one that went well.
        error_type: of the header, the trailer or the body when this is an error; `None` for a response.
        too_large: whether the body was above the limit and what is above was dropped.
        streaming: whether the runtime chose the streaming response mode.
        truncated: whether the connection broke in the middle of a streamed response.
        content_type: as posted.
    """

    body: bytes
    error_type: str | None = None
    too_large: bool = False
    streaming: bool = False
    truncated: bool = False
    content_type: str = "application/json"


class _Request:
    """A request as far as it has arrived."""

    __slots__ = ("headers", "parts", "size", "stream", "url")

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.parts: list[bytes] = []
        self.size = 0
        self.stream: ResponseStream | None = None

    @property
    def limit_bytes(self) -> int:
        return MAX_RESPONSE_BYTES if self.stream is None else MAX_STREAMED_BYTES

    @property
    def streaming(self) -> bool:
        return self.headers.get(b"lambda-runtime-function-response-mode", b"").lower() == b"streaming"

    @property
    def content_type(self) -> str:
        return self.headers.get(b"content-type", b"application/json").decode("latin-1")

    def take(self, chunk: bytes) -> None:
        """Keeps or passes on a piece of the body; what is above the limit only counts."""
        self.size += len(chunk)
        if self.size > self.limit_bytes:
            return
        if self.stream is None:
            self.parts.append(chunk)
        else:
            self.stream.feed(chunk)

    def body(self) -> bytes:
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


class RuntimeApi:
    """The server and its state machine; the callbacks are set by the execution environment.

    Attributes:
        extensions: what speaks to the same server beside the runtime.
        on_ready: called when the runtime asks for its next invocation and no extension is at work.
        on_answer: called with the answer to the running invocation.
        on_init_error: called with the posted init error; the runtime waits for our answer until
            `release` is called, so that it can be looked at.
        state: of the runtime.
    """

    def __init__(self, extensions: Extensions | None = None) -> None:
        self.extensions = extensions or Extensions((), {})
        self.extensions.on_idle = self._extensions_idle
        self.on_ready: Callable[[], None] = _nothing
        self.on_answer: Callable[[Answer], None] = _ignore
        self.on_init_error: Callable[[Answer], None] = _ignore
        self.state = State.STARTED
        self._server: asyncio.Server | None = None
        self._request_id = b""
        self._stream: ResponseStream | None = None
        self._waiting: _Connection | None = None
        self._held: _Connection | None = None
        self._streaming: _Connection | None = None
        self._connections: set[_Connection] = set()

    async def open(self, listener: socket.socket | None = None) -> None:
        """Listens on a free port of the loopback address.

        Args:
            listener: an own one, in another network namespace.
        """
        if listener is None:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        self._address = f"127.0.0.1:{listener.getsockname()[1]}"
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), sock=listener, backlog=8)

    def open_behind(self, doorway: Doorway) -> None:
        """Serves what comes in at `doorway`, instead of listening."""
        self._address = doorway.address
        doorway.serve(lambda: _Connection(self))

    @property
    def at_rest(self) -> bool:
        """Whether the runtime waits for an invocation and no extension is at work."""
        return self.state is State.READY and self.extensions.idle

    @property
    def address(self) -> str:
        """Value of AWS_LAMBDA_RUNTIME_API."""
        return self._address

    async def close(self) -> None:
        """Stops listening and drops every connection."""
        self.reset()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def reset(self) -> None:
        """Forgets the runtime process: its connections are dropped and the next one starts afresh."""
        self.state = State.STARTED
        self._waiting = self._held = self._streaming = None
        self._request_id = b""
        self.extensions.reset()
        for connection in tuple(self._connections):
            connection.abort()

    def release(self) -> None:
        """Answers the init error that is being held."""
        held, self._held = self._held, None
        if held is not None:
            held.write(_ACCEPTED)

    def dispatch(
        self, request_id: str, headers: bytes, payload: bytes, stream: ResponseStream | None = None
    ) -> None:
        """Hands an invocation to the waiting runtime.

        Args:
            request_id: what the answer will name.
            headers: the Lambda-Runtime-* lines, each ended by CRLF.
            payload: the event.
            stream: where a streamed response goes; without it, such a response is collected.
        """
        waiting = self._waiting
        if waiting is None:
            raise RuntimeError("no runtime is waiting for an invocation")
        self._waiting = None
        self._request_id = request_id.encode()
        self._stream = stream
        self.state = State.RUNNING
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
        waiting.write(head % (headers, len(payload)) + payload)

    def attach(self, connection: _Connection) -> None:
        """Registers a connection of the runtime."""
        self._connections.add(connection)

    def detach(self, connection: _Connection) -> None:
        """Forgets a closed connection; a runtime that hung up on its long poll is not waiting any more."""
        self._connections.discard(connection)
        self.extensions.detach(connection)
        if self._waiting is connection:
            self._waiting = None
            self.state = State.STARTED
        if self._held is connection:
            self._held = None
        if self._streaming is connection:
            self._streaming = None
            self.state = State.RESPONSE_SENT
            self.on_answer(Answer(body=b"", streaming=True, truncated=True))

    def stream_for(
        self, connection: _Connection, transport: asyncio.Transport, request: _Request
    ) -> ResponseStream | None:
        """Where the body of a request goes as it comes; `None` for one that is judged when it is complete."""
        wanted = _INVOCATION + self._request_id + b"/response"
        if self._stream is None or self.state is not State.RUNNING or request.url != wanted:
            return None
        self.state = State.RESPONDING
        self._streaming = connection
        self._stream.begin(request.content_type, transport)
        return self._stream

    def handle(self, connection: _Connection, method: bytes, request: _Request) -> None:
        """Answers one complete request."""
        url = request.url
        if method == b"GET" and url == _NEXT:
            self._next(connection)
        elif method == b"POST" and url.startswith(_INVOCATION):
            self._invocation(connection, url[len(_INVOCATION) :], request)
        elif method == b"POST" and url == _INIT_ERROR:
            self._init_error(connection, request)
        elif self.extensions.answers(url):
            self.extensions.handle(connection, url, request.headers, request.body())
        else:
            connection.refuse(404, "PageNotFound", "404 page not found")

    def _next(self, connection: _Connection) -> None:
        if self.state not in {State.STARTED, State.RESPONSE_SENT} or self._waiting is not None:
            self._forbid(connection, State.READY)
            return
        self._waiting = connection
        self.state = State.READY
        if self.extensions.idle:
            self.on_ready()

    def _extensions_idle(self) -> None:
        if self.state is State.READY:
            self.on_ready()

    def _invocation(self, connection: _Connection, rest: bytes, request: _Request) -> None:
        request_id, _, verb = rest.partition(b"/")
        if verb not in {b"response", b"error"}:
            connection.refuse(404, "PageNotFound", "404 page not found")
            return
        if not self._request_id or request_id != self._request_id:
            connection.refuse(400, "InvalidRequestID", "Invalid request ID")
            return
        if self.state is not (State.RUNNING if request.stream is None else State.RESPONDING):
            self._forbid(connection, State.RESPONDING)
            return
        mode = request.headers.get(b"lambda-runtime-function-response-mode", b"").lower()
        if mode not in {b"", b"buffered", b"streaming"}:
            connection.refuse(400, "InvalidFunctionResponseMode", "Invalid function response mode")
            return
        self.state = State.RESPONSE_SENT
        self._streaming = None
        answer = _answer(request, failed=verb == b"error")
        if answer.too_large:
            text = f"Exceeded maximum allowed payload size ({request.limit_bytes} bytes)."
            connection.refuse(413, "RequestEntityTooLarge", text)
        else:
            connection.write(_ACCEPTED)
        self.on_answer(answer)

    def _init_error(self, connection: _Connection, request: _Request) -> None:
        if self.state is not State.STARTED:
            self._forbid(connection, State.INIT_ERROR)
            return
        self.state = State.INIT_ERROR
        self._held = connection
        self.on_init_error(_answer(request, failed=True))

    def _forbid(self, connection: _Connection, wanted: State) -> None:
        text = f"Transition from {self.state.value} to {wanted.value} failed for runtime."
        connection.refuse(403, "InvalidStateTransition", f"{text} Error: State transition is not allowed")


def _answer(request: _Request, *, failed: bool) -> Answer:
    body = request.body()
    ended_in = request.headers.get(b"lambda-runtime-function-error-type") if request.streaming else None
    if ended_in is not None and not failed:
        # The trailers of a stream that broke off; what was sent before stands.
        failed, body = True, _decoded(request.headers.get(b"lambda-runtime-function-error-body", b""))
    return Answer(
        body=body,
        error_type=_error_type(request, body) if failed else None,
        too_large=request.size > request.limit_bytes,
        streaming=request.streaming,
        content_type=request.content_type,
    )


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text


def _error_type(request: _Request, body: bytes) -> str:
    named = request.headers.get(b"lambda-runtime-function-error-type", b"").decode("latin-1")
    if named:
        return named
    try:
        document = json.loads(body)
    except ValueError:
        return "Runtime.Unknown"
    found = document.get("errorType") if isinstance(document, dict) else None
    return found if isinstance(found, str) else "Runtime.Unknown"


def invocation_headers(request: InvokeRequest, deadline_ms: int) -> bytes:
    """The Lambda-Runtime-* lines that hand `request` to a runtime, each ended by CRLF."""
    lines = [
        f"Lambda-Runtime-Aws-Request-Id: {request.request_id}",
        f"Lambda-Runtime-Deadline-Ms: {deadline_ms}",
        f"Lambda-Runtime-Invoked-Function-Arn: {request.invoked_function_arn}",
        f"Lambda-Runtime-Trace-Id: {request.trace_id}",
    ]
    if request.client_context is not None:
        lines.append(f"Lambda-Runtime-Client-Context: {request.client_context}")
    if request.cognito_identity is not None:
        lines.append(f"Lambda-Runtime-Cognito-Identity: {request.cognito_identity}")
    # A header cannot hold a line break; a context with one is JSON, where it means nothing.
    text = "\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
    return text.replace("\n", "\r\n").encode() + b"\r\n"


def _nothing() -> None:
    return


def _ignore(_: Answer) -> None:
    return


class _Connection(asyncio.Protocol):
    """One keep-alive connection; calls back for every complete request."""

    __slots__ = ("_api", "_parser", "_request", "_transport")

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._parser = httptools.HttpRequestParser(self)
        self._request = _Request()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport; asyncio sets TCP_NODELAY itself."""
        if isinstance(transport, asyncio.Transport) or hasattr(transport, "write"):
            self._transport = transport  # type: ignore[assignment]  # uvloop's own class, same interface
        self._api.attach(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the API, which may be holding a long poll."""
        del exc
        self._transport = None
        self._api.detach(self)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.refuse(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
            self.close()

    def on_message_begin(self) -> None:
        """A request starts."""
        self._request = _Request()

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps the few headers and trailers that mean something here."""
        lowered = name.lower()
        if lowered in _KEPT_HEADERS:
            self._request.headers[lowered] = value

    def on_headers_complete(self) -> None:
        """Lets a client that asked first (libcurl above 1 MB) go on, and a streamed response through."""
        request = self._request
        if request.headers.get(b"expect", b"").lower() == b"100-continue":
            self.write(_CONTINUE)
        if request.streaming and self._transport is not None and self._parser.get_method() == b"POST":
            request.stream = self._api.stream_for(self, self._transport, request)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._request.take(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
        self._api.handle(self, self._parser.get_method(), self._request)

    def write(self, data: bytes) -> None:
        """Sends `data` unless the runtime has hung up."""
        if self._transport is not None:
            self._transport.write(data)

    def refuse(self, status: int, error_type: str, message: str) -> None:
        """Answers with AWS's error document."""
        body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.write(head % (status, _REASONS[status], len(body)) + body)

    def close(self) -> None:
        """Closes after what has been written is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Closes at once."""
        if self._transport is not None:
            self._transport.abort()

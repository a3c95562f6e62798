"""HTTP as the gateways speak it: a whole request in, a whole response out."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.engine.protocol import BODILESS

Header = tuple[bytes, bytes]
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 10_485_760
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html, "Payload size"."""
MAX_HEADER_BYTES = 10_240


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request as it reached the gateway.

    Attributes:
        path: path behind the stage; decoded for an HTTP API, as sent for a REST API.
        headers: raw pairs as received, names in lower case.
    """

    method: str
    path: str
    query: str
    headers: Iterable[Header]
    body: bytes
    source_ip: str
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One response as the gateway sends it; ``content-length`` is left to the sender."""

    status: int
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""


def request(scope: Scope, path: str, body: bytes) -> HttpRequest:
    """Returns an ASGI request whose body has been read, with `path` behind its stage."""
    client = scope.get("client")
    return HttpRequest(
        method=scope["method"],
        path=path,
        query=scope["query_string"].decode("latin-1"),
        headers=scope["headers"],
        body=body,
        source_ip=client[0] if client else "127.0.0.1",
        protocol=f"HTTP/{scope.get('http_version', '1.1')}",
    )


def pair(name: str, value: str) -> Header:
    """Returns a header as it is sent; a line break in its value cannot begin another one."""
    text = value.encode("latin-1", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    return name.lower().encode("latin-1", "replace"), text


def message(status: int, text: str, *headers: tuple[str, str]) -> HttpResponse:
    """Returns the gateway's own answer, ``{"message":...}``."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    pairs = [(b"content-type", b"application/json"), *(pair(*header) for header in headers)]
    return HttpResponse(status=status, headers=pairs, body=body)


def body_too_long() -> HttpResponse:
    """Returns the answer to a body that is larger than the gateway takes: AWS's text, no JSON."""
    text = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.".encode()
    return HttpResponse(status=413, headers=[(b"content-type", b"text/plain")], body=text)


def header(request: HttpRequest, name: str) -> str | None:
    """Returns a header's values joined by comma, or None; `name` in lower case."""
    wanted = name.encode("latin-1", "replace")
    values = [value.decode("latin-1") for key, value in request.headers if key == wanted]
    return ",".join(values) if values else None


def oversized_headers(scope: Scope) -> bool:
    """Whether the request's headers are more than API Gateway takes."""
    return sum([len(name) + len(value) for name, value in scope["headers"]]) > MAX_HEADER_BYTES


async def read_body(receive: Receive) -> bytes | None:
    """Returns the whole body, or None when it is larger than the gateway takes."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= MAX_BODY_BYTES else None
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        size += len(message.get("body", b""))
        if size <= MAX_BODY_BYTES:
            parts.append(message.get("body", b""))
    return b"".join(parts) if size <= MAX_BODY_BYTES else None


async def send(send: Send, response: HttpResponse, method: str) -> None:
    """Sends a response; one to HEAD without its body."""
    headers = list(response.headers)
    if response.status not in BODILESS:
        headers.append((b"content-length", str(len(response.body)).encode()))
    body = b"" if method == "HEAD" or response.status in BODILESS else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

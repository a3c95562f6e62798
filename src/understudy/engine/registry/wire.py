"""ASGI for the registry: request parts, answers, and streams that never hold a blob in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from understudy.engine.protocol import Receive, Scope, Send
from understudy.engine.registry.model import RegistryError

_READ_BYTES = 1 << 20


class ClientGoneError(Exception):
    """The client closed the connection before its body was complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; header names are in lower case, of repeated ones the values are joined by commas."""

    method: str
    path: str
    scheme: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    receive: Receive

    @property
    def host(self) -> str:
        """The Host header as sent, with its port."""
        return self.headers.get("host", "localhost")

    def url(self, path: str) -> str:
        """Returns `path` as an absolute URL on the host that the client used."""
        return f"{self.scheme}://{self.host}{path}"

    async def stream(self) -> AsyncIterator[bytes]:
        """Yields the body as it arrives.

        Raises:
            ClientGoneError: the connection closed early.
        """
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            if message.get("body"):
                yield message["body"]
            more = message.get("more_body", False)

    async def read(self, limit_bytes: int) -> bytes:
        """Returns a small body whole.

        Raises:
            ClientGoneError: the connection closed early.
            RegistryError: 413, it is larger than `limit_bytes`.
        """
        body = bytearray()
        async for piece in self.stream():
            body += piece
            if len(body) > limit_bytes:
                raise RegistryError(413, "SIZE_INVALID", f"body is larger than {limit_bytes} bytes")
        return bytes(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer: bytes, or `length` bytes of an open file from `start`."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    file: BinaryIO | None = None
    start: int = 0
    length: int = 0


def request_of(scope: Scope, receive: Receive) -> Request:
    """Returns the request that an ASGI scope describes."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(
        method=scope["method"],
        path=scope["path"],
        scheme=scope.get("scheme", "http"),
        headers=headers,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        receive=receive,
    )


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Returns an answer without a body."""
    return Response(status=status, headers={"Content-Length": "0", **(headers or {})})


def document(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Returns a JSON answer."""
    body = json.dumps(value).encode()
    own = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return Response(status=status, headers=own | dict(headers or {}), body=body)


def error(failure: RegistryError) -> Response:
    """Returns a refusal as the specification's JSON."""
    body = failure.body()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **failure.headers}
    return Response(status=failure.status, headers=headers, body=body)


async def reply(response: Response, send: Send, *, head: bool) -> None:
    """Sends `response`, its body left out for HEAD, and closes its file."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    raw.append((b"docker-distribution-api-version", b"registry/2.0"))
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    try:
        if response.file is not None and not head:
            await _send_file(response.file, response.start, response.length, send)
        body = b"" if head else response.body
        await send({"type": "http.response.body", "body": body, "more_body": False})
    finally:
        if response.file is not None:
            response.file.close()


async def _send_file(file: BinaryIO, start: int, length: int, send: Send) -> None:
    file.seek(start)
    left = length
    while left > 0:
        piece = await asyncio.to_thread(file.read, min(_READ_BYTES, left))
        if not piece:
            return
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})

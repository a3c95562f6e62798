"""A client for ASGI applications that needs no socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from understudy.engine.protocol import Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def scope(method: str, path: str, headers: dict[str, str] | None = None, query: str = "") -> Scope:
    """An HTTP scope as uvicorn makes it."""
    pairs = {"host": "localhost:4566", **(headers or {})}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs.items()],
    }


async def ask(app: Any, request: Scope, body: Iterable[bytes] = (b"",)) -> Answer:
    """Sends a request, its body in the given pieces, and returns the answer."""
    pieces = list(body)
    received: list[Message] = []

    async def receive() -> Message:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        received.append(message)

    await app(request, receive, send)
    start = received[0]
    return Answer(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        body=b"".join(message.get("body", b"") for message in received[1:]),
    )


class Named:
    """A router (and fallback) that answers its own name on the paths it is given."""

    def __init__(self, name: str, prefix: str | None = None) -> None:
        self.name = name
        self._prefix = prefix

    def matches(self, request: Scope) -> bool:
        """Whether the path begins as configured."""
        return self._prefix is not None and request["path"].startswith(self._prefix)

    async def handle(self, request: Scope, receive: Receive, send: Send) -> None:
        """Answers its name."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.name.encode()})

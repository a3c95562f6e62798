"""What stands around a gateway in a unit test: a function, a log, and a client."""

import asyncio
import json
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.fakes.issuer import Issuer
from understudy.engine.executeapi.outbound import Outbound
from understudy.engine.protocol import ApiError, Router


@dataclass(slots=True)
class Outcome:
    payload: bytes
    function_error: str | None = None


@dataclass(slots=True)
class FakeInvoker:
    """Answers with `outcome` and remembers what it was asked."""

    outcome: Outcome | ApiError = field(
        default_factory=lambda: Outcome(b'{"statusCode": 200, "body": "ok", "headers": {"x-app": "1"}}')
    )
    answers: dict[str, Outcome] = field(default_factory=dict)
    permitted: bool = True
    hangs: asyncio.Event | None = None
    finished: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    arns: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    async def invoke(self, arn: str, payload: bytes) -> Outcome:
        self.arns.append(arn)
        self.events.append(json.loads(payload))
        if self.hangs:
            await self.hangs.wait()
        self.finished += 1
        self.ended.set()
        if isinstance(self.outcome, ApiError):
            raise self.outcome
        return self.answers.get(arn, self.outcome)

    def permits(self, arn: str, *, principal: str, source_arn: str) -> bool:
        self.sources.append(source_arn)
        return self.permitted


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Lines:
    """A log store that remembers ``(group, stream, text)``."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def append(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, account_id: str, region: str
    ) -> None:
        self.lines += [(group, stream, text) for _, text in events]


class Outside(Outbound):
    """The world outside: an issuer, and nobody else."""

    def __init__(self, issuer: Issuer) -> None:
        super().__init__()
        self.fetch = issuer.fetch  # type: ignore[method-assign]


async def ask(
    router: Router,
    host: str,
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[asyncio.Task[None], Answer]:
    """The answer to one request, as uvicorn would ask, and the task that may go on behind it."""
    raw_path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", host.encode())]
        + [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 5),
        "http_version": "1.1",
    }
    assert router.matches(scope)
    sent: list[MutableMapping[str, Any]] = []
    answered = asyncio.Event()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)
        if "body" in message:
            answered.set()

    handling = asyncio.create_task(router.handle(scope, receive, send))
    handling.add_done_callback(lambda _: answered.set())
    await answered.wait()
    pairs = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return handling, Answer(sent[0]["status"], pairs, sent[1]["body"])

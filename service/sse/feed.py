"""Server-sent events about a user's configurations: the first tells what there is, each further one a change.

The table has no stream that a page could listen to, so it is asked once a second, by a strongly consistent
query of one partition (layout: `dashboard/items.py`). The id of an event is a hash of what it tells: a page
that comes back with it (`Last-Event-ID`) hears of it again only when something has changed.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Read = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]

POLL_S = 1.0
# A proxy or a page gives a silent connection up; a comment keeps it, and is no event.
_KEEP_ALIVE_POLLS = 15
_KEEP_ALIVE = b": still here\n\n"
_PREFIX = "CONFIGURATION#"


class Table:
    """The configurations in DynamoDB; its client is made with the first question."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._client: DynamoDBClient | None = None

    async def read(self, user: str) -> list[Mapping[str, Any]]:
        """The user's configurations, oldest first; the question is asked in a thread.

        Raises:
            botocore.exceptions.BotoCoreError: DynamoDB does not answer.
            botocore.exceptions.ClientError: it refuses.
        """
        return await asyncio.to_thread(self._read, user)

    def _read(self, user: str) -> list[Mapping[str, Any]]:
        if self._client is None:
            import boto3.session  # noqa: PLC0415 - keeps boto3 off the cold start of /health

            session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))
            self._client = session.client("dynamodb")
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :user AND begins_with(sk, :kind)",
            ExpressionAttributeValues={":user": {"S": f"USER#{user}"}, ":kind": {"S": _PREFIX}},
        )
        return [_configuration(item) for page in pages for item in page["Items"]]


def _configuration(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "id": item["sk"]["S"].removeprefix(_PREFIX),
        "name": item["name"]["S"],
        "tickers": [ticker["S"] for ticker in item["tickers"]["L"]],
        "active": item["active"]["BOOL"],
        "version": int(item["version"]["N"]),
        "updated_at": item["updated_at"]["S"],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a stream ends; the page then connects again by itself.

    Attributes:
        seconds: how long it lasts; below the function's timeout.
        events: how many events it has; `None` for as many as there are.
    """

    seconds: float
    events: int | None = None


async def events(
    found: Sequence[Mapping[str, Any]],
    read: Read,
    limits: Limits,
    *,
    last_id: str | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """The events of one connection.

    Args:
        found: what there is when it starts.
        read: asks again.
        limits: when it ends.
        last_id: what the page has heard last.
        pause: waits between two questions.
    """
    yield b"retry: 1000\n\n"
    told = 0
    polls = int(limits.seconds / POLL_S)
    for poll in range(polls):
        text = json.dumps({"configurations": list(found)}, separators=(",", ":"), sort_keys=True)
        event_id = hashlib.sha256(text.encode()).hexdigest()[:16]
        if event_id != last_id:
            last_id = event_id
            told += 1
            yield f"event: configurations\nid: {event_id}\ndata: {text}\n\n".encode()
        elif poll % _KEEP_ALIVE_POLLS == 0:
            yield _KEEP_ALIVE
        if told == limits.events:
            return
        await pause(POLL_S)
        found = await read()

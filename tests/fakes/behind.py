"""The services behind the engine, small: queues and one stream as lists, by the JSON protocols alone.

Like the real ones they are an ASGI application; tests/contract/test_engine_event_sources.py runs the same
readers over the real delegate.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from understudy.engine.protocol import Receive, Scope, Send


class RefusalError(Exception):
    """What a service answers instead."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class Behind:
    """One account's services.

    Attributes:
        queues: messages by queue, oldest first; a message that was received is hidden until it is deleted.
        stream: records of the only shard.
        requests: every request's path or operation, and its body.
        refusals: what is answered next instead of an answer.
    """

    def __init__(self, stream: Sequence[Mapping[str, Any]] = ()) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = {}
        self.deleted: list[str] = []
        self.stream = list(stream)
        self.requests: list[tuple[str, Any]] = []
        self.refusals: list[RefusalError] = []
        self.accounts: list[str] = []

    async def until(self, done: Callable[[], bool]) -> None:
        """Lets the others of this loop go on until `done` is true."""
        for _ in range(100_000):
            if done():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came to that")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = (await receive())["body"]
        target = headers.get("x-amz-target", "")
        self.accounts.append(headers["authorization"].split("Credential=")[1].split("/")[0])
        status, answer = 200, b""
        try:
            if target:
                given = json.loads(body)
                self._note(target, given)
                answer = json.dumps(self._answer(target.partition(".")[2], given)).encode()
            elif scope["method"] == "PUT":
                self._note(scope["path"], json.loads(body))
            else:
                self._note("Publish", {name: values[0] for name, values in parse_qs(body.decode()).items()})
        except RefusalError as refusal:
            status = refusal.status
            document = {"__type": f"com.amazonaws#{refusal.code}", "message": "no"}
            answer = json.dumps(document).encode() if target else _xml(refusal.code)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    def _note(self, what: str, body: object) -> None:
        self.requests.append((what, body))
        if self.refusals:
            raise self.refusals.pop(0)

    def _answer(self, operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        match operation:
            case "GetQueueUrl":
                return {"QueueUrl": f"http://localhost/{given['QueueName']}"}
            case "ReceiveMessage":
                waiting = self.queues.setdefault(given["QueueUrl"].rpartition("/")[2], [])
                taken = waiting[: given["MaxNumberOfMessages"]]
                del waiting[: len(taken)]
                return {"Messages": taken}
            case "DeleteMessageBatch":
                self.deleted += [entry["ReceiptHandle"] for entry in given["Entries"]]
            case "DescribeStream":
                return {"StreamDescription": {"Shards": [{"ShardId": "shard-1"}]}}
            case "GetShardIterator":
                return {"ShardIterator": str(self._place(given.get("SequenceNumber")))}
            case "GetRecords":
                start = int(given["ShardIterator"])
                page = self.stream[start : start + given["Limit"]]
                return {"Records": page, "NextShardIterator": str(start + len(page))}
        return {}

    def _place(self, sequence: str | None) -> int:
        if sequence is None:
            return 0
        known = [record["dynamodb"]["SequenceNumber"] for record in self.stream]
        if sequence not in known:
            raise RefusalError("TrimmedDataAccessException")
        return known.index(sequence) + 1


def _xml(code: str) -> bytes:
    return f"<ErrorResponse xmlns='urn:x'><Error><Code>{code}</Code></Error></ErrorResponse>".encode()

"""Reads an SQS queue: gathers batches, runs them side by side, deletes the messages that were done with.

What failed is left alone: the queue shows it again after its visibility timeout, and its own redrive policy
moves it to a dead letter queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.engine.functions.calls import CallError
from understudy.engine.functions.sources import batches, records
from understudy.engine.functions.sources.tools import Reading

_AT_ONCE = 10
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: five batches to begin with.
_CONCURRENT = 5

_log = logging.getLogger(__name__)

Message = Mapping[str, Any]


class QueueReader:
    """The reader of one mapping whose source is a queue."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._url = ""
        fifo = reading.mapping.source.resource.endswith(".fifo")
        # One after the other keeps the order within every message group.
        limit = 1 if fifo else reading.mapping.settings.maximum_concurrency or _CONCURRENT
        self._places = asyncio.Semaphore(limit)

    async def run(self) -> None:
        """Reads until it is told to stop; returns when the last batch is done."""
        async with asyncio.TaskGroup() as running:
            while await self._place():
                messages: Sequence[Message] = ()
                try:
                    messages = await self._gather()
                except CallError as exc:
                    _log.warning("queue %s cannot be read: %s", self._reading.mapping.source.text, exc)
                    await self._reading.pause(self._reading.tools.times.trouble_s)
                if messages:
                    running.create_task(self._carry_out(messages))
                else:
                    self._places.release()

    async def _place(self) -> bool:
        """Waits until there is room for another batch; False when no other is wanted by then."""
        await self._places.acquire()
        return not self._reading.stopping

    async def _gather(self) -> Sequence[Message]:
        """One batch: what is there, or with a batching window what comes until it ends."""
        settings, now = self._reading.mapping.settings, self._reading.tools.clock.now
        found = list(await self._receive(settings.batch_size))
        end = now() + settings.window_s
        while found and len(found) < settings.batch_size and now() < end and not self._reading.stopping:
            try:
                found += await self._receive(settings.batch_size - len(found))
            except CallError:
                # What was received is hidden from everybody else by now; the next call tells.
                break
        return found

    async def _receive(self, most: int) -> Sequence[Message]:
        answer = await self._call(
            "ReceiveMessage",
            MaxNumberOfMessages=min(most, _AT_ONCE),
            WaitTimeSeconds=self._reading.tools.times.wait_s,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        found: Sequence[Message] = answer.get("Messages") or ()
        return found

    async def _carry_out(self, messages: Sequence[Message]) -> None:
        reading = self._reading
        try:
            made = [records.of_queue(reading.mapping, message) for message in messages]
            batch = records.passing(reading.mapping, made)
            failed: frozenset[str] = frozenset()
            if batch:
                identities = [record["messageId"] for record in batch]
                result = await batches.run(reading.tools.invoke, reading.mapping, batch, identities)
                failed = result.failed
            # What a filter held back is deleted too, as on AWS.
            await self._delete([message for message in messages if message["MessageId"] not in failed])
        finally:
            self._places.release()

    async def _delete(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + _AT_ONCE])
            ]
            try:
                await self._call("DeleteMessageBatch", Entries=entries)
            except CallError as exc:
                _log.warning("messages of %s come again: %s", self._reading.mapping.source.text, exc)

    async def _call(self, operation: str, **body: object) -> dict[str, Any]:
        calls, place = self._reading.tools.calls, self._reading.place
        if not self._url:
            name = {"QueueName": self._reading.mapping.source.resource}
            self._url = (await calls.json(place, "sqs", "GetQueueUrl", name))["QueueUrl"]
        return await calls.json(place, "sqs", operation, {"QueueUrl": self._url, **body})

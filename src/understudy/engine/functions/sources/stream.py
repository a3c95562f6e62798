"""Reads a DynamoDB stream: shard by shard, batch by batch, in order; a failing batch holds its shard up.

What happens to a failing batch is its mapping's to say:
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html. Splitting a batch does not count
as a retry, nor does an attempt that was throttled.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.engine.functions.calls import CallError
from understudy.engine.functions.sources import batches, failures, records
from understudy.engine.functions.sources.batches import BatchResult
from understudy.engine.functions.sources.model import UNLIMITED
from understudy.engine.functions.sources.shard import Shard
from understudy.engine.functions.sources.tools import Reading

_log = logging.getLogger(__name__)

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Batch:
    records: Records
    attempts: int = 0


class StreamReader:
    """The reader of one mapping whose source is a stream."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    async def begin(self) -> None:
        """Passes what is in the stream already, for a mapping that starts with the latest.

        Raises:
            CallError: the stream cannot be read.
        """
        for found in await self._shards():
            last = await Shard(self._reading, found["ShardId"], None).skip()
            if last is not None:
                self._advance(found["ShardId"], last)

    async def run(self) -> None:
        """Reads until it is told to stop; returns when the last batch is done."""
        times = self._reading.tools.times
        async with asyncio.TaskGroup() as running:
            while not self._reading.stopping:
                pause_s = times.shards_s
                try:
                    for found in await self._shards():
                        if self._is_next(found):
                            self._begun.add(found["ShardId"])
                            running.create_task(self._read(found["ShardId"]))
                except CallError as exc:
                    self._trouble(exc)
                    pause_s = times.trouble_s
                await self._reading.pause(pause_s)

    async def _shards(self) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            body = {"StreamArn": self._reading.mapping.source.text, **more}
            calls, place = self._reading.tools.calls, self._reading.place
            answer = await calls.json(place, "dynamodbstreams", "DescribeStream", body)
            description = answer["StreamDescription"]
            found += description["Shards"]
            last = description.get("LastEvaluatedShardId")
            if not last:
                return found
            more = {"ExclusiveStartShardId": last}

    def _is_next(self, found: Mapping[str, Any]) -> bool:
        """Whether a shard is to be read now: a child comes after its parent."""
        parent = found.get("ParentShardId")
        held = parent in self._begun and parent not in self._ended
        return found["ShardId"] not in self._begun and not held

    async def _read(self, shard_id: str) -> None:
        reading = self._reading
        shard = Shard(reading, shard_id, reading.tools.table.checkpoint(reading.mapping.uuid, shard_id))
        while not reading.stopping and not shard.closed:
            try:
                found = await self._gather(shard)
            except CallError as exc:
                self._trouble(exc)
                await reading.pause(reading.tools.times.trouble_s)
                continue
            if not found:
                await reading.pause(reading.tools.times.idle_s)
                continue
            made = [records.of_stream(reading.mapping, record) for record in found]
            batch = records.passing(reading.mapping, made)
            if await self._deliver(shard_id, batch):
                self._advance(shard_id, records.sequence(made[-1]))
        self._ended.add(shard_id)

    async def _gather(self, shard: Shard) -> Sequence[Mapping[str, Any]]:
        """One batch: what is there, or with a batching window what comes until it ends."""
        settings, tools = self._reading.mapping.settings, self._reading.tools
        found = list(await shard.read(settings.batch_size))
        end = tools.clock.now() + settings.window_s
        while found and len(found) < settings.batch_size and not self._reading.stopping:
            if tools.clock.now() >= end or shard.closed:
                break
            await self._reading.pause(min(tools.times.idle_s, settings.window_s))
            try:
                found += await shard.read(settings.batch_size - len(found))
            except CallError:
                # The shard's place is behind what was read: it has to be delivered, the next read tells.
                break
        return found

    async def _deliver(self, shard_id: str, batch: Records) -> bool:
        """Works until every record was done with or given up on; False when it was told to stop before."""
        reading, times = self._reading, self._reading.tools.times
        pending = deque([_Batch(batch)] if batch else [])
        pause_s = times.retry_s
        while pending:
            if reading.stopping:
                return False
            now = await self._without_old(shard_id, pending.popleft())
            if not now.records:
                continue
            identities = [records.sequence(record) for record in now.records]
            result = await batches.run(reading.tools.invoke, reading.mapping, now.records, identities)
            reading.note(result.summary)
            done = next((n for n, name in enumerate(identities) if name in result.failed), len(identities))
            if done:
                self._advance(shard_id, identities[done - 1])
            if not result.failed:
                pause_s = times.retry_s
                continue
            again = await self._again(shard_id, now, done, result)
            pending.extendleft(reversed(again))
            if again:
                await reading.pause(pause_s)
                pause_s = min(pause_s * 2, times.longest_s)
        return True

    async def _again(self, shard_id: str, batch: _Batch, done: int, result: BatchResult) -> Sequence[_Batch]:
        """What is tried again of a batch that failed behind its first `done` records."""
        settings, left = self._reading.mapping.settings, batch.records[done:]
        if result.answer is None:
            return [_Batch(left, batch.attempts)]
        if settings.bisect and done:
            return [_Batch(left, batch.attempts)]
        if settings.bisect and len(left) > 1:
            middle = len(left) // 2
            return [_Batch(left[:middle], batch.attempts), _Batch(left[middle:], batch.attempts)]
        attempts = batch.attempts + 1
        if settings.maximum_retries == UNLIMITED or attempts <= settings.maximum_retries:
            return [_Batch(left, attempts)]
        await self._give_up(shard_id, left, "RetryAttemptsExhausted", attempts, result)
        return ()

    async def _without_old(self, shard_id: str, batch: _Batch) -> _Batch:
        """The batch without the records that grew too old, which are given up on."""
        limit_s = self._reading.mapping.settings.maximum_age_s
        if limit_s == UNLIMITED:
            return batch
        oldest = self._reading.tools.clock.now() - limit_s
        old = [one for one in batch.records if (records.created_at(one) or oldest) < oldest]
        if not old:
            return batch
        await self._give_up(shard_id, old, "RecordAgeExceeded", batch.attempts, None)
        return _Batch(batch.records[len(old) :], batch.attempts)

    async def _give_up(
        self, shard_id: str, lost: Records, condition: str, attempts: int, result: BatchResult | None
    ) -> None:
        reading = self._reading
        failure = failures.Failure(
            shard_id=shard_id, records=lost, condition=condition, attempts=attempts, result=result
        )
        delivery = failures.delivery(reading.mapping, failure, reading.tools.clock.now())
        if delivery is not None:
            await reading.tools.deliveries.send(delivery)
        self._advance(shard_id, records.sequence(lost[-1]))

    def _advance(self, shard_id: str, sequence: str) -> None:
        self._reading.tools.table.advance(self._reading.mapping.uuid, shard_id, sequence)

    def _trouble(self, problem: CallError) -> None:
        _log.warning("stream %s cannot be read: %s", self._reading.mapping.source.text, problem)
        self._reading.note(f"PROBLEM: {problem.code}: {problem.message}")

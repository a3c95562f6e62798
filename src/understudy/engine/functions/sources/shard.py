"""A place in one shard of a DynamoDB stream, and the way forward from it.

A place is the last sequence number that was read, never an iterator: iterators are renewed every few seconds,
because one of an emulator that began anew points past every new record without saying so.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.engine.functions.calls import CallError
from understudy.engine.functions.sources import records
from understudy.engine.functions.sources.tools import Reading

_MOST = 1000
_LOST = frozenset({"ExpiredIteratorException", "TrimmedDataAccessException"})


class Shard:
    """One shard being read, behind `after`; from its oldest record when that is None."""

    def __init__(self, reading: Reading, shard_id: str, after: str | None) -> None:
        self.id = shard_id
        self.after = after
        self.closed = False
        self._reading = reading
        self._iterator: str | None = None
        self._renew_at = 0.0

    async def read(self, most: int) -> Sequence[Mapping[str, Any]]:
        """The next records, at most so many; none when there are none yet.

        Raises:
            CallError: the stream cannot be read.
        """
        now = asyncio.get_running_loop().time()
        if self._iterator is None or now >= self._renew_at:
            self._renew_at = now + self._reading.tools.times.renewed_s
            self._iterator = await self._seek()
        try:
            answer = await self._call("GetRecords", ShardIterator=self._iterator, Limit=min(most, _MOST))
        except CallError as exc:
            self._iterator = None
            if exc.code in _LOST:
                return ()
            raise
        found: Sequence[Mapping[str, Any]] = answer["Records"]
        if found:
            self.after = records.sequence(found[-1])
        self._iterator = answer.get("NextShardIterator")
        self.closed = self._iterator is None
        return found

    async def skip(self) -> str | None:
        """Passes every record that is there and returns the last one's sequence number."""
        while await self.read(_MOST):
            pass
        return self.after

    async def _seek(self) -> str:
        where = {"StreamArn": self._reading.mapping.source.text, "ShardId": self.id}
        if self.after is not None:
            behind = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self.after}
            try:
                return str((await self._call("GetShardIterator", **where, **behind))["ShardIterator"])
            except CallError as exc:
                if exc.code not in _LOST:
                    raise
        # Lambda too goes on at the oldest record when its place is gone.
        oldest = await self._call("GetShardIterator", **where, ShardIteratorType="TRIM_HORIZON")
        return str(oldest["ShardIterator"])

    async def _call(self, operation: str, **body: object) -> dict[str, Any]:
        return await self._reading.tools.calls.json(self._reading.place, "dynamodbstreams", operation, body)

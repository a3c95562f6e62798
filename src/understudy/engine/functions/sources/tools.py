"""What reading a source takes, in one place: the source's service, the function, the table, time."""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace

from understudy.engine.functions.background import Clock
from understudy.engine.functions.calls import AwsCalls, Place
from understudy.engine.functions.deliveries import Deliveries
from understudy.engine.functions.sources.batches import Invoke
from understudy.engine.functions.sources.model import SourceMapping
from understudy.engine.functions.sources.table import MappingTable


@dataclass(frozen=True, slots=True, kw_only=True)
class PollTimes:
    """How long readers wait.

    Attributes:
        idle_s: between looks at a shard without records; Lambda looks four times a second.
        wait_s: how long a queue may wait for a message before it answers; whole seconds.
        shards_s: between looks for new shards of a stream.
        renewed_s: how long a shard iterator is used; it says nothing of a stream that was made anew.
        retry_s: before the first retry of a batch, doubled each time up to `longest_s`.
        trouble_s: after a source that did not answer.
    """

    idle_s: float = 0.25
    wait_s: int = 1
    shards_s: float = 10.0
    renewed_s: float = 5.0
    retry_s: float = 0.5
    longest_s: float = 30.0
    trouble_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every reader shares."""

    calls: AwsCalls
    invoke: Invoke
    deliveries: Deliveries
    table: MappingTable
    clock: Clock = field(default_factory=Clock)
    times: PollTimes = field(default_factory=PollTimes)


class Reading:
    """One mapping being read, until it is told to stop."""

    def __init__(self, mapping: SourceMapping, tools: Tools) -> None:
        self.mapping = mapping
        self.tools = tools
        self.place = Place(account_id=mapping.source.account_id, region=mapping.source.region)
        self._stopping = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether no further batch is wanted."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Lets the batches under way be the last."""
        self._stopping.set()

    async def pause(self, seconds: float) -> None:
        """Waits so long, or until it is told to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def note(self, result: str) -> None:
        """Records `LastProcessingResult`; a queue's mapping has none."""
        current = self.tools.table.get(self.mapping.uuid)
        if current is not None and not current.is_queue and current.result != result:
            self.tools.table.put(replace(current, result=result))

"""Sees to it that every enabled mapping is read, and that a change waits for the batches under way."""

import asyncio
import logging
from dataclasses import replace

from understudy.engine.functions.background import Background
from understudy.engine.functions.calls import CallError
from understudy.engine.functions.sources.model import SourceMapping
from understudy.engine.functions.sources.queue import QueueReader
from understudy.engine.functions.sources.stream import StreamReader
from understudy.engine.functions.sources.table import MappingTable
from understudy.engine.functions.sources.tools import Reading, Tools

_log = logging.getLogger(__name__)


class Pollers:
    """The readers of all mappings; changes are recorded first and carried out here in the background."""

    def __init__(self, tools: Tools, background: Background) -> None:
        self._tools = tools
        self._background = background
        self._readers: dict[str, tuple[Reading, asyncio.Task[None]]] = {}
        self._closed = False

    @property
    def _table(self) -> MappingTable:
        return self._tools.table

    def resume(self) -> None:
        """Reads on where the engine ended, and finishes the changes that it had begun."""
        for mapping in self._table.all():
            self.change(mapping)

    def change(self, mapping: SourceMapping) -> None:
        """Carries out what `mapping` records: read, do not read, or be gone."""
        self._background.spawn(self._change(mapping.uuid))

    async def close(self) -> None:
        """Ends every reader at once; batches under way come again, changes under way are taken up again."""
        self._closed = True
        tasks = [task for _, task in self._readers.values()]
        self._readers.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _change(self, uuid: str) -> None:
        reading, task = self._readers.pop(uuid, (None, None))
        if reading is not None and task is not None:
            reading.stop()
            await asyncio.wait([task])
        mapping = self._table.get(uuid)
        if mapping is None or self._closed:
            return
        if mapping.state == "Deleting":
            self._table.remove(uuid)
        elif not mapping.settings.enabled:
            self._table.put(replace(mapping, state="Disabled"))
        else:
            await self._begin(mapping)

    async def _begin(self, mapping: SourceMapping) -> None:
        reading = Reading(mapping, self._tools)
        if mapping.is_queue:
            work = QueueReader(reading).run()
        else:
            reader = StreamReader(reading)
            if mapping.state == "Creating" and mapping.position == "LATEST":
                try:
                    await reader.begin()
                except CallError as exc:
                    _log.warning("stream %s cannot be read: %s", mapping.source.text, exc)
            work = reader.run()
        if self._closed:
            work.close()
            return
        # It may have got tags meanwhile.
        self._table.put(replace(self._table.get(mapping.uuid) or mapping, state="Enabled"))
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_report)
        self._readers[mapping.uuid] = (reading, task)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("reading an event source ended, a bug of understudy", exc_info=error)

"""Event source mappings and how far their streams were read, in SQLite.

A checkpoint is written when a batch is done with, so an engine that was killed reads on behind the last
batch that it finished: at least once, as Lambda promises.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

from understudy.engine.functions.arns import Arn
from understudy.engine.functions.model import FunctionId
from understudy.engine.functions.sources.model import SourceMapping, SourceSettings
from understudy.engine.state import State

_SERVICE = "lambda-event-sources"
_MIGRATIONS = (
    "CREATE TABLE lambda_mappings (uuid TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE lambda_checkpoints (uuid TEXT NOT NULL, shard TEXT NOT NULL, sequence TEXT NOT NULL, "
    "PRIMARY KEY (uuid, shard)) WITHOUT ROWID",
)


class MappingTable:
    """Mappings by id; `load` before the first use."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._mappings: dict[str, SourceMapping] = {}

    def load(self) -> None:
        """Reads what was stored before."""
        self._state.migrate(_SERVICE, _MIGRATIONS)
        for row in self._state.execute("SELECT * FROM lambda_mappings"):
            self._mappings[row["uuid"]] = _mapping(row["document"])

    def get(self, uuid: str) -> SourceMapping | None:
        """The mapping, or None."""
        return self._mappings.get(uuid)

    def all(self) -> Iterator[SourceMapping]:
        """Every mapping, in no order that means anything."""
        return iter(list(self._mappings.values()))

    def put(self, mapping: SourceMapping) -> SourceMapping:
        """Stores `mapping` and returns it."""
        self._state.execute(
            "INSERT INTO lambda_mappings VALUES (?, ?) "
            "ON CONFLICT (uuid) DO UPDATE SET document = excluded.document",
            (mapping.uuid, json.dumps(asdict(mapping))),
        )
        self._mappings[mapping.uuid] = mapping
        return mapping

    def remove(self, uuid: str) -> None:
        """Forgets the mapping and its checkpoints."""
        with self._state.transaction():
            self._state.execute("DELETE FROM lambda_mappings WHERE uuid = ?", (uuid,))
            self._state.execute("DELETE FROM lambda_checkpoints WHERE uuid = ?", (uuid,))
        self._mappings.pop(uuid, None)

    def checkpoint(self, uuid: str, shard: str) -> str | None:
        """The last sequence number of `shard` that was done with."""
        rows = self._state.execute(
            "SELECT sequence FROM lambda_checkpoints WHERE uuid = ? AND shard = ?", (uuid, shard)
        )
        return rows[0]["sequence"] if rows else None

    def advance(self, uuid: str, shard: str, sequence: str) -> None:
        """Records that `shard` was done with up to and including `sequence`."""
        self._state.execute(
            "INSERT INTO lambda_checkpoints VALUES (?, ?, ?) "
            "ON CONFLICT (uuid, shard) DO UPDATE SET sequence = excluded.sequence",
            (uuid, shard, sequence),
        )


def _mapping(text: str) -> SourceMapping:
    document = json.loads(text)
    settings = document["settings"]
    return SourceMapping(
        **{
            **document,
            "source": Arn(**document["source"]),
            "function": FunctionId(**document["function"]),
            "settings": SourceSettings(**{**settings, "patterns": tuple(settings["patterns"])}),
        }
    )

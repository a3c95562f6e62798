"""Log groups, streams and events in one SQLite file with one writer thread.

`LogStore.append` only queues: a function's invocation never waits for the disk. All SQL runs on one thread in
order, so whoever reads sees everything appended before. The store is bounded: retention is really applied,
and beyond `MAX_EVENTS` the oldest events go.
"""

import asyncio
import itertools
import json
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from understudy.engine.protocol import DEFAULT_ACCOUNT_ID, DEFAULT_REGION
from understudy.engine.state import State

MAX_EVENTS = 1_000_000
MAX_PENDING = 200_000
_ROWS = 400  # twice that and three are below the 999 parameters that every SQLite takes
DAY_MS = 86_400_000
_SWEEP_EVERY_S = 60.0
_EVENT_OVERHEAD_BYTES = (
    26  # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
Event = tuple[int, str]

_TABLES = (
    "CREATE TABLE log_groups (id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT "
    "NOT NULL, created_ms INTEGER NOT NULL, retention_days INTEGER, class TEXT NOT NULL DEFAULT 'STANDARD', "
    "kms_key TEXT, tags TEXT NOT NULL DEFAULT '{}', UNIQUE (account, region, name))",
    "CREATE TABLE log_streams (id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL REFERENCES log_groups ON "
    "DELETE CASCADE, name TEXT NOT NULL, created_ms INTEGER NOT NULL, first_ms INTEGER, last_ms INTEGER, "
    "ingested_ms INTEGER, bytes INTEGER NOT NULL DEFAULT 0, UNIQUE (group_id, name))",
    "CREATE TABLE log_events (id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, stream_id "
    "INTEGER NOT NULL REFERENCES log_streams ON DELETE CASCADE, at_ms INTEGER NOT NULL, ingested_ms INTEGER "
    "NOT NULL, message TEXT NOT NULL)",
    "CREATE INDEX log_events_of_stream ON log_events (stream_id, at_ms, id)",
    "CREATE INDEX log_events_of_group ON log_events (group_id, at_ms, id)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """Where a log group lives."""

    name: str
    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION

    @property
    def arn(self) -> str:
        """The group's ARN, without the trailing ``:*``."""
        return f"arn:aws:logs:{self.region}:{self.account_id}:log-group:{self.name}"


class LogStore:
    """The log storage; `open` before use, `close` to write what is queued."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._state = State(path)
        self.clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="logs")
        self._pending: deque[tuple[GroupKey, str, int, Sequence[Event]]] = deque()
        self._pending_events = 0
        self._flushing = False
        self._swept_s = 0.0

    def open(self) -> "LogStore":
        """Returns itself with its database ready.

        Raises:
            EnvironmentProblemError: the file cannot be used.
        """
        self._thread.submit(self._prepare).result()
        return self

    def close(self) -> None:
        """Writes what is queued and closes the database."""
        self._thread.submit(self._flush).result()
        self._thread.submit(self._state.close).result()
        self._thread.shutdown()

    def _prepare(self) -> None:
        self._state.open()
        self._state.migrate("logs", _TABLES)
        self.sweep(self._state)

    def append(
        self,
        group: str,
        stream: str,
        events: Sequence[Event],
        *,
        account_id: str = DEFAULT_ACCOUNT_ID,
        region: str = DEFAULT_REGION,
    ) -> None:
        """Queues events ``(epoch milliseconds, text)``; group and stream are created when missing.

        Never blocks. Beyond `MAX_PENDING` unwritten events the oldest are dropped; the engine's log says so.
        """
        key = GroupKey(name=group, account_id=account_id, region=region)
        self._pending.append((key, stream, self.now_ms(), events))
        self._pending_events += len(events)
        while self._pending_events > MAX_PENDING and len(self._pending) > 1:
            dropped = self._pending.popleft()
            self._pending_events -= len(dropped[3])
            logger.warning("logs: dropped %d events of %s, the disk is too slow", len(dropped[3]), dropped[1])
        if not self._flushing:
            self._flushing = True
            self._thread.submit(self._flush)

    def now_ms(self) -> int:
        """Returns the present in epoch milliseconds."""
        return int(self.clock() * 1000)

    async def run(self, work: Callable[[State], T]) -> T:
        """Returns what `work` returns; it runs on the writer's thread, after everything appended so far."""

        def _ordered() -> T:
            self._flush()
            return work(self._state)

        return await asyncio.get_running_loop().run_in_executor(self._thread, _ordered)

    def _flush(self) -> None:
        self._flushing = False
        if self._pending:
            with self._state.transaction():
                while self._pending:
                    key, stream, ingested_ms, events = self._pending.popleft()
                    self._pending_events -= len(events)
                    group_id = ensure_group(self._state, key, ingested_ms)
                    stream_id = ensure_stream(self._state, group_id, stream, ingested_ms)
                    insert_events(self._state, group_id, stream_id, events, ingested_ms)
        if self.clock() - self._swept_s > _SWEEP_EVERY_S:
            self.sweep(self._state)

    def sweep(self, state: State) -> None:
        """Deletes events past their group's retention, and the oldest beyond `MAX_EVENTS`."""
        self._swept_s = self.clock()
        state.execute(
            "DELETE FROM log_events WHERE id IN (SELECT e.id FROM log_groups g JOIN log_events e ON "
            "e.group_id = g.id WHERE g.retention_days IS NOT NULL AND e.at_ms < ? - g.retention_days * ?)",
            (self.now_ms(), DAY_MS),
        )
        state.execute(
            "DELETE FROM log_events WHERE id <= (SELECT max(id) FROM log_events) - ?", (MAX_EVENTS,)
        )


def find_group(state: State, key: GroupKey) -> sqlite3.Row | None:
    """Returns a group's row, or None."""
    rows = state.execute(
        "SELECT * FROM log_groups WHERE account = ? AND region = ? AND name = ?",
        (key.account_id, key.region, key.name),
    )
    return rows[0] if rows else None


def find_stream(state: State, group_id: int, name: str) -> sqlite3.Row | None:
    """Returns a stream's row, or None."""
    rows = state.execute("SELECT * FROM log_streams WHERE group_id = ? AND name = ?", (group_id, name))
    return rows[0] if rows else None


def create_group(
    state: State, key: GroupKey, created_ms: int, tags: Mapping[str, str], **settings: str | None
) -> int:
    """Returns the id of a new group; `settings` may hold ``log_class`` and ``kms_key``.

    Raises:
        sqlite3.IntegrityError: it exists.
    """
    state.execute(
        "INSERT INTO log_groups (account, region, name, created_ms, class, kms_key, tags) "
        "VALUES (?,?,?,?,?,?,?)",
        (
            key.account_id,
            key.region,
            key.name,
            created_ms,
            settings.get("log_class") or "STANDARD",
            settings.get("kms_key"),
            json.dumps(dict(tags)),
        ),
    )
    return int(state.execute("SELECT last_insert_rowid() AS id")[0]["id"])


def create_stream(state: State, group_id: int, name: str, created_ms: int) -> int:
    """Returns the id of a new stream.

    Raises:
        sqlite3.IntegrityError: it exists.
    """
    state.execute(
        "INSERT INTO log_streams (group_id, name, created_ms) VALUES (?, ?, ?)", (group_id, name, created_ms)
    )
    return int(state.execute("SELECT last_insert_rowid() AS id")[0]["id"])


def ensure_group(state: State, key: GroupKey, now_ms: int) -> int:
    """Returns the id of a group, created when missing."""
    row = find_group(state, key)
    return int(row["id"]) if row is not None else create_group(state, key, now_ms, {})


def ensure_stream(state: State, group_id: int, name: str, now_ms: int) -> int:
    """Returns the id of a stream, created when missing."""
    row = find_stream(state, group_id, name)
    return int(row["id"]) if row is not None else create_stream(state, group_id, name, now_ms)


def insert_events(
    state: State, group_id: int, stream_id: int, events: Sequence[Event], ingested_ms: int
) -> None:
    """Adds events to a stream and brings the stream's own figures up to date.

    Many go in with one statement: each statement gives up the interpreter's lock and takes it back, from the
    event loop.
    """
    for start in range(0, len(events), _ROWS):
        rows = events[start : start + _ROWS]
        places = ",".join(["(?1,?2,?3,?,?)"] * len(rows))
        state.execute(
            f"INSERT INTO log_events (group_id, stream_id, ingested_ms, at_ms, message) VALUES {places}",  # noqa: S608 - see `places`
            (group_id, stream_id, ingested_ms, *itertools.chain.from_iterable(rows)),
        )
    if events:
        times = [at_ms for at_ms, _ in events]
        size = sum(len(message.encode()) + _EVENT_OVERHEAD_BYTES for _, message in events)
        state.execute(
            "UPDATE log_streams SET first_ms = min(coalesce(first_ms, ?1), ?1), last_ms = max(coalesce("
            "last_ms, ?2), ?2), ingested_ms = ?3, bytes = bytes + ?4 WHERE id = ?5",
            (min(times), max(times), ingested_ms, size, stream_id),
        )

"""Asynchronous invocations: accepted into SQLite, run in the background, retried as Lambda retries.

Two retries after a function error, a minute and two apart on AWS (shorter here unless configured); a
throttled event is tried again until it is too old. An event accepted before the engine was killed is run
after its next start. Refuses to deliver to destinations and dead letter queues: they are stored only.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from understudy.engine.functions.background import Background, Clock
from understudy.engine.functions.model import LATEST, EventInvokeConfig, FunctionId
from understudy.engine.functions.table import FunctionTable
from understudy.engine.protocol import ApiError
from understudy.engine.state import State

if TYPE_CHECKING:
    import asyncio

MAXIMUM_AGE_S = 21_600
MAXIMUM_RETRIES = 2
_LONGEST_BACKOFF_S = 300.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One accepted asynchronous invocation.

    Attributes:
        attempts: how often the function has failed on it.
        row: its place in the queue's table; 0 before it is stored.
    """

    function: FunctionId
    qualifier: str | None
    request_id: str
    payload: bytes
    accepted_at: float
    client_context: str | None = None
    attempts: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimes:
    """How long the queue waits.

    Attributes:
        retries_s: before the first and the second retry.
        first_backoff_s: after the first throttling; doubled each time.
    """

    retries_s: Sequence[float] = (1.0, 2.0)
    first_backoff_s: float = 1.0


Run = Callable[[Event], Awaitable[str | None]]


class EventQueue:
    """Runs accepted events until each has succeeded, failed for good or grown too old."""

    def __init__(
        self,
        state: State,
        table: FunctionTable,
        background: Background,
        run: Run,
        clock: Clock,
        times: EventTimes,
    ) -> None:
        self._state = state
        self._table = table
        self._background = background
        self._run = run
        self._clock = clock
        self._times = times
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, event: Event) -> None:
        """Stores `event` and runs it soon."""
        key = event.function
        rows = self._state.execute(
            "INSERT INTO lambda_events (account_id, region, name, qualifier, request_id, client_context, "
            "payload, accepted_at, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING id",
            (
                key.account_id,
                key.region,
                key.name,
                event.qualifier,
                event.request_id,
                event.client_context,
                event.payload,
                event.accepted_at,
            ),
        )
        self._begin(replace(event, row=rows[0]["id"]))

    def resume(self) -> None:
        """Runs what was accepted before the engine ended."""
        for row in self._state.execute("SELECT * FROM lambda_events ORDER BY id"):
            key = FunctionId(account_id=row["account_id"], region=row["region"], name=row["name"])
            self._begin(
                Event(
                    function=key,
                    qualifier=row["qualifier"],
                    request_id=row["request_id"],
                    client_context=row["client_context"],
                    payload=row["payload"],
                    accepted_at=row["accepted_at"],
                    attempts=row["attempts"],
                    row=row["id"],
                )
            )

    def stop(self) -> None:
        """Leaves everything that is not done to the next start."""
        for task in self._tasks:
            task.cancel()

    def _begin(self, event: Event) -> None:
        task = self._background.spawn(self._carry_out(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, event: Event) -> None:
        backoff_s = self._times.first_backoff_s
        while self._clock.now() - event.accepted_at <= self._maximum_age_s(event):
            try:
                error = await self._run(event)
            except ApiError as exc:
                if exc.status == 404:
                    break
                await self._clock.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
                continue
            if error is None:
                break
            event = self._failed(event)
            if event.attempts > self._maximum_retries(event):
                break
            waits = self._times.retries_s
            await self._clock.sleep(waits[min(event.attempts, len(waits)) - 1])
        self._state.execute("DELETE FROM lambda_events WHERE id = ?", (event.row,))

    def _failed(self, event: Event) -> Event:
        failed = replace(event, attempts=event.attempts + 1)
        self._state.execute(
            "UPDATE lambda_events SET attempts = ? WHERE id = ?", (failed.attempts, failed.row)
        )
        _log.info("event %s of %s failed %d times", event.request_id, event.function.name, failed.attempts)
        return failed

    def _config(self, event: Event) -> EventInvokeConfig | None:
        function = self._table.get(event.function)
        return function.event_configs.get(event.qualifier or LATEST) if function else None

    def _maximum_age_s(self, event: Event) -> int:
        config = self._config(event)
        age_s = config.maximum_age_s if config else None
        return MAXIMUM_AGE_S if age_s is None else age_s

    def _maximum_retries(self, event: Event) -> int:
        config = self._config(event)
        retries = config.maximum_retries if config else None
        return MAXIMUM_RETRIES if retries is None else retries

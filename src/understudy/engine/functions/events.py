"""Asynchronous invocations: accepted into SQLite, run in the background, retried as Lambda retries.

Two retries after a function error, a minute and two apart on AWS (shorter here unless configured); a
throttled event is tried again until it is too old. An event accepted before the engine was killed is run
after its next start, and leaves the table only when what it gave was handed on to its destination.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from understudy.engine.functions import destinations
from understudy.engine.functions.background import Background, Clock
from understudy.engine.functions.deliveries import Delivery
from understudy.engine.functions.destinations import Condition, Ending
from understudy.engine.functions.event import Event
from understudy.engine.functions.invoke import InvokeOutcome
from understudy.engine.functions.model import LATEST, EventInvokeConfig, FunctionId
from understudy.engine.functions.table import FunctionTable
from understudy.engine.protocol import ApiError
from understudy.engine.state import State

if TYPE_CHECKING:
    import asyncio

MAXIMUM_AGE_S = 21_600
MAXIMUM_RETRIES = 2
_LONGEST_BACKOFF_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimes:
    """How long the queue waits.

    Attributes:
        retries_s: before the first and the second retry.
        first_backoff_s: after the first throttling; doubled each time.
    """

    retries_s: Sequence[float] = (1.0, 2.0)
    first_backoff_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWork:
    """What the queue has done by others.

    Attributes:
        run: the function, once.
        deliver: hands on what an event gave; whether it arrived is no more the queue's business.
    """

    run: Callable[[Event], Awaitable[InvokeOutcome]]
    deliver: Callable[[Delivery], Awaitable[bool]]


class EventQueue:
    """Runs accepted events until each has succeeded, failed for good or grown too old."""

    def __init__(
        self,
        state: State,
        table: FunctionTable,
        background: Background,
        work: EventWork,
        clock: Clock,
        times: EventTimes,
    ) -> None:
        self._state = state
        self._table = table
        self._background = background
        self._work = work
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
        event, ending = await self._attempts(event)
        function = self._table.get(event.function)
        if function is not None and ending is not None:
            for delivery in destinations.of(function, event, ending, self._clock.now()):
                await self._work.deliver(delivery)
        self._state.execute("DELETE FROM lambda_events WHERE id = ?", (event.row,))

    async def _attempts(self, event: Event) -> tuple[Event, Ending | None]:
        """Runs the event until it ends, and says how; None when its function is gone."""
        backoff_s = self._times.first_backoff_s
        outcome: InvokeOutcome | None = None
        while self._clock.now() - event.accepted_at <= self._maximum_age_s(event):
            if self._is_shut(event):
                # Without any retry: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
                return event, Ending(Condition.NO_CONCURRENCY, outcome)
            try:
                outcome = await self._work.run(event)
            except ApiError as exc:
                if exc.status == 404:
                    return event, None
                await self._clock.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
                continue
            event = self._counted(event)
            if outcome.function_error is None:
                return event, Ending(Condition.SUCCESS, outcome)
            if event.attempts > self._maximum_retries(event):
                return event, Ending(Condition.RETRIES, outcome)
            waits = self._times.retries_s
            await self._clock.sleep(waits[min(event.attempts, len(waits)) - 1])
        return event, Ending(Condition.AGE, outcome)

    def _is_shut(self, event: Event) -> bool:
        function = self._table.get(event.function)
        return function is not None and function.reserved == 0

    def _counted(self, event: Event) -> Event:
        counted = replace(event, attempts=event.attempts + 1)
        self._state.execute(
            "UPDATE lambda_events SET attempts = ? WHERE id = ?", (counted.attempts, counted.row)
        )
        return counted

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

"""One execution environment booted for its verdict, and the events that it is sent."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Self

from understudy.sandbox import ExecutionEnvironment, InvokeRequest
from understudy.verify.boot import events, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from understudy.sandbox import Executor, SandboxSpec
    from understudy.verify.boot.model import Attempt, Event, HandlerKind, Outcome

_MEGABYTE = 1024 * 1024
_ROUTES_AT_MOST = 3
_ROUTE_TIMEOUT_S = 0.7
_ROUTES_BUDGET_S = 1.0
_FINAL = frozenset({"exit", "timeout", "out-of-memory", "too-large"})
_RETRIED = frozenset({"Runtime.ExitError", "Sandbox.Timedout"})


class Session:
    """An environment with its log and what it came to.

    Attributes:
        attempts: init phases so far.
        outcomes: of the events sent so far.
        lines: of the log.
        environment: that runs.
    """

    def __init__(self, spec: SandboxSpec, *, executor: Executor, explain: bool = True) -> None:
        self.attempts: list[Attempt] = []
        self.outcomes: list[Outcome] = []
        self.lines: list[str] = []
        self.environment = ExecutionEnvironment(
            spec, executor=executor, log=self._log, explain_init_errors=explain
        )
        self._peak_bytes = 0
        self._sent = 0
        self._payload = b""

    def _log(self, line: bytes) -> None:
        self.lines.append(line.decode("utf-8", "backslashreplace"))

    async def __aenter__(self) -> Self:
        await self.environment.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.environment.shutdown()

    @property
    def names(self) -> tuple[str, ...]:
        """Names that were looked up so far, in order."""
        own = self.environment.isolation
        return tuple(lookup.name for lookup in own.lookups) if own is not None else ()

    @property
    def peak_mb(self) -> float:
        """Highest resident memory so far."""
        process = self.environment.process
        if process is not None:
            self._peak_bytes = max(self._peak_bytes, process.memory_peak_bytes())
        return self._peak_bytes / _MEGABYTE

    async def ready(self) -> Attempt:
        """Waits for the end of the init phase."""
        self.attempts.append(outcomes.attempt(await self.environment.ready()))
        return self.attempts[-1]

    def retries(self, attempt: Attempt) -> bool:
        """Whether Lambda's second init could end differently; one that cannot only costs time."""
        if attempt.timed_out:
            return self.environment.spec.timeout_s > self.environment.spec.init_timeout_s
        return attempt.error_type in _RETRIED or not attempt.error_type.startswith("Runtime.")

    async def send(self, event: Event, *, timeout_s: float | None = None) -> Outcome:
        """Sends one event; a function that is not ready is initialised again first, as Lambda does it."""
        before, known = len(self.lines), len(self.names)
        report = self.environment.init_report
        self._sent += 1
        request = InvokeRequest(
            request_id=f"00000000-0000-4000-8000-{self._sent:012d}",
            payload=event.payload,
            timeout_s=timeout_s,
            invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:"
            + self.environment.spec.function_name,
        )
        result = await self.environment.invoke(request)
        self._payload = result.payload
        again = self.environment.init_report
        if again is not None and again is not report:
            self.attempts.append(outcomes.attempt(again))
        found = outcomes.outcome(event, result, names=self.names[known:], log="".join(self.lines[before:]))
        self.outcomes.append(found)
        self._peak_bytes = max(self._peak_bytes, result.max_memory_mb * _MEGABYTE)
        return found

    async def send_own(self, own: Iterable[Event]) -> None:
        """Sends the user's events, the first one twice."""
        for number, event in enumerate(own):
            found = await self.send(event)
            if number == 0 and found.verdict not in _FINAL:
                await self.send(event)

    async def send_synthetic(self, kind: HandlerKind, openapi_url: str) -> list[Event]:
        """Finds out which events the function takes, sends the first of them twice and returns what is left.

        Args:
            kind: what its source looks like.
            openapi_url: where a web application tells its routes.
        """
        first, other = events.get("/health"), events.plain()
        if kind == "plain":
            first, other = other, first
        found = await self.send(first)
        if kind != "web" and found.verdict in {"function-error", "refused"}:
            found = await self._try_other(found, other)
        if found.event.kind == "plain" or not found.status_code:
            if found.verdict not in _FINAL and found.verdict != "refused":
                await self.send(found.event)
            return []
        return await self._ask_first(found, openapi_url)

    async def _try_other(self, found: Outcome, other: Event) -> Outcome:
        """Sends the other kind of event; where that one is taken, the first was merely the wrong kind."""
        second = await self.send(other)
        if second.verdict == "refused":
            return found
        if second.verdict in {"answered", "app-error"} and found.verdict != "refused":
            self.outcomes[-2] = dataclasses.replace(found, verdict="refused", network=False)
        return second

    async def _ask_first(self, first: Outcome, openapi_url: str) -> list[Event]:
        """Asks the route that is measured and returns the others."""
        unknown = first.status_code in {404, 405}
        if not unknown:
            await self.send(first.event)
        listed = await self._listed(openapi_url)
        asked = {first.event.name}
        if unknown:
            event = events.get(listed[0] if listed else "/")
            asked.add(event.name)
            for _ in range(2):
                if (await self.send(event)).verdict in _FINAL:
                    return []
        return [event for event in map(events.get, listed) if event.name not in asked]

    async def ask_routes(self, rest: Sequence[Event]) -> None:
        """Asks a few more routes, as far as the time for it goes; they are not measured."""
        ends = time.perf_counter() + _ROUTES_BUDGET_S
        for event in rest[:_ROUTES_AT_MOST]:
            if time.perf_counter() > ends or not await self._ask_route(event):
                return

    async def _ask_route(self, event: Event) -> bool:
        """Asks one more route; whether it answered in the time that a proof has for it."""
        limit_s = min(_ROUTE_TIMEOUT_S, self.environment.spec.timeout_s)
        found = await self.send(event, timeout_s=limit_s)
        if found.verdict == "timeout" and limit_s < self.environment.spec.timeout_s:
            # Ours, not the function's: it may well answer in time, and is not judged.
            self.outcomes.pop()
        return found.verdict not in _FINAL

    async def _listed(self, openapi_url: str) -> tuple[str, ...]:
        found = await self.send(events.get(openapi_url))
        listed = events.paths(events.body(self._payload)) if found.status_code == 200 else ()
        if not listed and found.verdict not in _FINAL:
            # An application without that document answers as it likes.
            self.outcomes.pop()
        return listed

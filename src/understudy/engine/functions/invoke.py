"""Invocations: the quick way that the HTTP API takes, and the two Invoke operations around it.

The quick way knows a reference, bytes in and bytes out; no JSON, no shapes, no table. What Invoke adds are
Lambda's checks of the request, the invocation types and the log tail; what InvokeWithResponseStream adds is
that the answer comes as events while the function writes it.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.engine import identifiers
from understudy.engine.functions import errors, names
from understudy.engine.functions.background import Background
from understudy.engine.functions.event import Event
from understudy.engine.functions.fleet import Fleet, Route
from understudy.engine.functions.names import Target
from understudy.engine.protocol import ApiError, Call, Operation, eventstream
from understudy.errors import UnderstudyError
from understudy.sandbox.model import InvokeRequest
from understudy.sandbox.response_stream import ResponseStream

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; asynchronous: 1 MB since 10/2025.
SYNCHRONOUS_LIMIT_BYTES = 6_291_456
ASYNCHRONOUS_LIMIT_BYTES = 1_048_576
_TYPES = ("Event", "RequestResponse", "DryRun")
_STREAMED_TYPES = ("RequestResponse", "DryRun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One request on its way to a function.

    Attributes:
        target: what to invoke.
        request_id: given by whoever accepted the request; empty to have one made.
        tail: whether the end of the log is wanted.
    """

    target: Target
    payload: bytes
    request_id: str = ""
    client_context: str | None = None
    trace_id: str = ""
    tail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeOutcome:
    """What an invocation gave back.

    Attributes:
        status: HTTP status of Invoke; 200 also when the function failed.
        payload: the function's answer, or its error document.
        function_error: None when the function succeeded.
        executed_version: the version that ran.
        error_type: AWS's errorType when the function failed.
        content_type: of the payload, as the runtime said it.
    """

    status: int
    payload: bytes
    function_error: str | None
    executed_version: str
    log_tail: bytes = b""
    error_type: str | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """An invocation under way whose answer may come in pieces.

    Attributes:
        stream: the pieces; it ends when the invocation does.
        outcome: how it ended; the payload is there when the function did not stream.
    """

    executed_version: str
    stream: ResponseStream
    outcome: asyncio.Task[InvokeOutcome]


class Invoker:
    """Sends requests to environments and waits for answers."""

    def __init__(self, fleet: Fleet, background: Background) -> None:
        self._fleet = fleet
        self._background = background
        self._streaming: set[asyncio.Task[InvokeOutcome]] = set()

    async def invoke(self, invocation: Invocation) -> InvokeOutcome:
        """Runs the function to its end.

        To cancel it ends the environment, which is for an engine that stops; a caller who no longer waits
        leaves this running.

        Raises:
            ApiError: no such function, not active, or throttled.
        """
        route = self._fleet.route(invocation.target)
        return await self._run(invocation, route, route.choose())

    def stream(self, invocation: Invocation) -> Streaming:
        """Starts an invocation and gives its answer as it comes; it goes on when nobody takes it.

        Raises:
            ApiError: no such function, or not active; what else can go wrong, `outcome` raises.
        """
        route = self._fleet.route(invocation.target)
        number, stream = route.choose(), ResponseStream()
        outcome = self._background.spawn(self._run(invocation, route, number, stream))
        self._streaming.add(outcome)
        outcome.add_done_callback(self._streaming.discard)
        outcome.add_done_callback(lambda _: stream.end())
        return Streaming(executed_version=number, stream=stream, outcome=outcome)

    def stop(self) -> None:
        """Ends what is still streamed: a caller that is cancelled leaves it running."""
        for outcome in self._streaming:
            outcome.cancel()

    async def _run(
        self, invocation: Invocation, route: Route, number: str, stream: ResponseStream | None = None
    ) -> InvokeOutcome:
        request = InvokeRequest(
            request_id=invocation.request_id or identifiers.request_id(),
            payload=invocation.payload,
            timeout_s=route.timeouts_s[number],
            invoked_function_arn=route.arn,
            client_context=invocation.client_context,
            trace_id=invocation.trace_id or identifiers.trace_header(time.time()),
            tail=invocation.tail,
            stream=stream,
        )
        route.counter.enter()
        try:
            result = await route.pools[number].invoke(request)
        except UnderstudyError as exc:
            # The environment could not be made: this machine's fault, not the function's.
            raise ApiError(
                "ServiceException", f"{exc.message} ({exc.hint})", status=500, fields={"Type": "Service"}
            ) from exc
        finally:
            route.counter.leave()
        return InvokeOutcome(
            status=200,
            payload=result.payload,
            function_error=result.function_error,
            executed_version=number,
            log_tail=result.log_tail,
            error_type=result.error_type,
            content_type=result.content_type,
        )


class InvokeOperations:
    """Invoke and InvokeWithResponseStream."""

    def __init__(
        self, fleet: Fleet, invoker: Invoker, accept: Callable[[Event], None], now: Callable[[], float]
    ) -> None:
        self._fleet = fleet
        self._invoker = invoker
        self._accept = accept
        self._now = now

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {"Invoke": self.invoke, "InvokeWithResponseStream": self.invoke_with_response_stream}

    async def invoke(self, call: Call) -> dict[str, Any]:
        """Invoke."""
        kind = call.params.get("InvocationType") or "RequestResponse"
        if kind not in _TYPES:
            raise errors.validation(
                "invocationType",
                kind,
                "Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
            )
        invocation = self._checked(call, kind)
        route = self._fleet.route(invocation.target)
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            self._accept(
                Event(
                    function=route.id,
                    qualifier=invocation.target.qualifier,
                    request_id=invocation.request_id,
                    payload=invocation.payload,
                    accepted_at=self._now(),
                    client_context=invocation.client_context,
                )
            )
            return {"StatusCode": 202, "Payload": b""}
        return _answer(await self._invoker.invoke(invocation), tail=invocation.tail)

    async def invoke_with_response_stream(self, call: Call) -> dict[str, Any]:
        """InvokeWithResponseStream: what a function does not stream comes as one chunk at the end."""
        kind = call.params.get("InvocationType") or "RequestResponse"
        if kind not in _STREAMED_TYPES:
            raise errors.validation(
                "invocationType", kind, "Member must satisfy enum value set: [RequestResponse, DryRun]"
            )
        invocation = self._checked(call, kind)
        if kind == "DryRun":
            self._fleet.route(invocation.target)
            return {"StatusCode": 204}
        streaming = self._invoker.stream(invocation)
        if not await streaming.stream.started():
            # Refused or throttled: told by the status while that can still be said.
            await streaming.outcome
        return {
            "StatusCode": 200,
            "ExecutedVersion": streaming.executed_version,
            "ResponseStreamContentType": eventstream.CONTENT_TYPE,
            "EventStream": _events(streaming, tail=invocation.tail),
        }

    def _checked(self, call: Call, kind: str) -> Invocation:
        params = call.params
        target = names.parse(
            params["FunctionName"],
            params.get("Qualifier"),
            account_id=call.account_id,
            region=call.region,
        )
        payload = params.get("Payload") or b"{}"
        limit = ASYNCHRONOUS_LIMIT_BYTES if kind == "Event" else SYNCHRONOUS_LIMIT_BYTES
        if len(payload) > limit:
            raise errors.payload_too_large(len(payload), kind, limit)
        try:
            json.loads(payload.decode())
        except (ValueError, RecursionError) as exc:
            raise errors.bad_content(str(exc)) from exc
        return Invocation(
            target=target,
            payload=payload,
            request_id=call.request_id,
            client_context=_client_context(params.get("ClientContext")),
            trace_id=call.headers.get("x-amzn-trace-id", ""),
            tail=params.get("LogType") == "Tail",
        )


def _answer(outcome: InvokeOutcome, *, tail: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "StatusCode": outcome.status,
        "ExecutedVersion": outcome.executed_version,
        "Payload": outcome.payload,
    }
    if outcome.function_error:
        answer["FunctionError"] = outcome.function_error
    if tail:
        answer["LogResult"] = base64.b64encode(outcome.log_tail).decode()
    return answer


async def _events(streaming: Streaming, *, tail: bool) -> AsyncIterator[bytes]:
    try:
        async for chunk in streaming.stream:
            yield eventstream.event("PayloadChunk", chunk, "application/octet-stream")
        outcome = await asyncio.shield(streaming.outcome)
        complete: dict[str, str] = {}
        if outcome.function_error:
            complete["ErrorCode"] = outcome.error_type or outcome.function_error
            complete["ErrorDetails"] = outcome.payload.decode("utf-8", "replace")
        elif outcome.payload:
            yield eventstream.event("PayloadChunk", outcome.payload, "application/octet-stream")
        if tail:
            complete["LogResult"] = base64.b64encode(outcome.log_tail).decode()
        yield eventstream.event("InvokeComplete", json.dumps(complete).encode(), "application/json")
    finally:
        streaming.stream.abandon()


def _client_context(encoded: str | None) -> str | None:
    if not encoded:
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError as exc:
        raise ApiError(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
            fields={"Type": "User"},
        ) from exc

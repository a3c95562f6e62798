"""Judges what an invocation or an init phase came to; pure.

The line that matters is between a function that fails and one that merely misses its table: nothing here is
AWS, so what failed for want of the network says nothing about the image.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from understudy.verify.boot import events, stacks
from understudy.verify.boot.model import Attempt, ImportChain, ImportStep, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from understudy.sandbox import explain
    from understudy.sandbox.environment import InitReport
    from understudy.sandbox.model import Fault, InvokeResult
    from understudy.verify.boot.model import Event, Verdict

_LOG_AT_MOST = 4000
_ANSWER_AT_MOST = 2000
_VERDICTS: dict[str, Verdict] = {
    "Sandbox.Timedout": "timeout",
    "Runtime.OutOfMemory": "out-of-memory",
    "Runtime.ExitError": "exit",
    "Function.ResponseSizeTooLarge": "too-large",
    "Runtime.MarshalError": "unreadable",
}
# Mangum, when an event is none of API Gateway, ALB or CloudFront: the event's fault, not the application's.
_REFUSED = re.compile(r"adapter was unable to infer a handler")
_NETWORK = re.compile(
    r"Could not connect to the endpoint URL|EndpointConnectionError|ConnectTimeoutError|NewConnectionError"
    r"|ConnectionRefusedError|Network is unreachable|Connection refused|Name or service not known"
    r"|Temporary failure in name resolution|could not translate host name|Max retries exceeded with url"
    r"|All connection attempts failed|No route to host|UnrecognizedClientException|InvalidClientTokenId"
    r"|security token included in the request is invalid|ENETUNREACH|ECONNREFUSED|EHOSTUNREACH"
)
_LAST_ERROR = re.compile(r"^(?:[\w.]+(?:Error|Exception|Exit|Warning)|[\w.]+\.[A-Z]\w+)(?::.*)?$")


def needs_network(text: str) -> bool:
    """Whether an error text is about a service that could not be reached."""
    return bool(_NETWORK.search(text))


def attempt(report: InitReport) -> Attempt:
    """How an init phase went, in AWS's words."""
    fault = report.fault
    if fault is None:
        return Attempt(phase=report.phase, duration_ms=report.duration_ms)
    message, stack = _fault_text(fault)
    return Attempt(
        phase=report.phase,
        duration_ms=report.duration_ms,
        error_type=fault.error_type,
        message=message,
        stack=stack,
        timed_out=fault.timed_out,
        chain=_chain(report.import_chain) if report.import_chain is not None else None,
    )


def _chain(found: explain.ImportChain) -> ImportChain:
    steps = (
        ImportStep(path=frame.path, line=frame.line, source=frame.source)
        for frame in found.frames
        if not stacks.is_client(frame.path)
    )
    return ImportChain(
        steps=tuple(steps),
        error=found.error,
        module=found.module,
        file=found.file,
        causes=found.causes,
    )


def _fault_text(fault: Fault) -> tuple[str, tuple[str, ...]]:
    if fault.body is None:
        return fault.reason, ()
    document = _document(fault.body)
    return str(document.get("errorMessage", "")), _stack(document)


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _stack(document: dict[str, Any]) -> tuple[str, ...]:
    trace = document.get("stackTrace")
    return tuple(str(line).strip("\n") for line in trace) if isinstance(trace, list) else ()


def outcome(event: Event, result: InvokeResult, *, names: Sequence[str], log: str) -> Outcome:
    """What `event` came to.

    Args:
        event: that was sent.
        result: of the invocation.
        names: looked up meanwhile.
        log: of the invocation.
    """
    document = _document(result.payload) if result.error_type is not None else {}
    message = str(document.get("errorMessage", ""))
    stack = _stack(document)
    status = events.status_code(result.payload) if result.error_type is None else 0
    verdict = _verdict(result.error_type, message, status)
    if verdict == "app-error":
        message = last_error(log)
    failed = verdict not in {"answered", "refused"}
    return Outcome(
        event=event,
        verdict=verdict,
        duration_ms=result.duration_ms,
        status_code=status,
        error_type=result.error_type or "",
        message=message,
        stack=stack,
        names=tuple(dict.fromkeys(names)),
        network=failed and (bool(names) or needs_network("\n".join((message, *stack, log)))),
        log=log[-_LOG_AT_MOST:],
        answer=result.payload[:_ANSWER_AT_MOST],
    )


def _verdict(error_type: str | None, message: str, status: int) -> Verdict:
    if error_type is None:
        return "app-error" if status >= 500 else "answered"
    if _REFUSED.search(message):
        return "refused"
    return _VERDICTS.get(error_type, "function-error")


def last_error(log: str) -> str:
    """The last line of a log that ends a traceback."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", log)]
    return next((line for line in reversed(lines) if _LAST_ERROR.match(line)), "")

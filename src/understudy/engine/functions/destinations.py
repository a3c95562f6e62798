"""What is handed on when an asynchronous invocation ends: the record of it, and the event of a failed one.

Pure. Shapes: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html and, for dead
letters, https://docs.aws.amazon.com/lambda/latest/dg/dlq.html. Both may be configured; both are written then.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from understudy.engine.functions import names
from understudy.engine.functions.calls import Place
from understudy.engine.functions.deliveries import Delivery
from understudy.engine.functions.event import Event
from understudy.engine.functions.invoke import InvokeOutcome
from understudy.engine.functions.model import LATEST, Function

_ERROR_LENGTH = 1024


class Condition(StrEnum):
    """Why an asynchronous invocation came to its end, in Lambda's words."""

    SUCCESS = "Success"
    RETRIES = "RetriesExhausted"
    AGE = "EventAgeExceeded"
    NO_CONCURRENCY = "ZeroReservedConcurrency"


@dataclass(frozen=True, slots=True)
class Ending:
    """How an event ended.

    Attributes:
        outcome: of the last attempt; None when the function never ran.
    """

    condition: Condition
    outcome: InvokeOutcome | None


def of(function: Function, event: Event, ending: Ending, now: float) -> Iterator[Delivery]:
    """Everything that is handed on for `event`.

    Args:
        function: as it is now.
        event: with the number of its attempts.
        ending: how it ended.
        now: seconds since the epoch.
    """
    config = function.event_configs.get(event.qualifier or LATEST)
    succeeded = ending.condition is Condition.SUCCESS
    to = (config.on_success if succeeded else config.on_failure) if config else None
    if to:
        yield _record(to, event, ending, datetime.fromtimestamp(now, UTC))
    dead_letters = _dead_letter_arn(function, event)
    if dead_letters and not succeeded:
        yield _dead_letter(dead_letters, event, ending)


def _place(event: Event) -> Place:
    return Place(account_id=event.function.account_id, region=event.function.region)


def _record(to: str, event: Event, ending: Ending, moment: datetime) -> Delivery:
    arn = names.arn(event.function, event.qualifier or LATEST)
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": arn,
            "condition": ending.condition.value,
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json.loads(event.payload),
    }
    outcome = ending.outcome
    if outcome is not None:
        record["responseContext"] = {
            "statusCode": outcome.status,
            "executedVersion": outcome.executed_version,
            **({"functionError": outcome.function_error} if outcome.function_error else {}),
        }
        record["responsePayload"] = _json(outcome.payload)
    verdict = "Success" if ending.condition is Condition.SUCCESS else "Failure"
    return Delivery(
        to=to,
        text=json.dumps(record),
        place=_place(event),
        key=f"aws/lambda/async/{event.function.name}/{moment:%Y/%m/%d}/"
        f"{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}",
        detail_type=f"Lambda Function Invocation Result - {verdict}",
        resources=(arn,),
    )


def _dead_letter(to: str, event: Event, ending: Ending) -> Delivery:
    code, message = "429", "Rate Exceeded."
    if ending.outcome is not None:
        answer = _json(ending.outcome.payload)
        code = str(ending.outcome.status)
        message = str(answer.get("errorMessage", "")) if isinstance(answer, dict) else ""
    attributes = {"RequestID": ("String", event.request_id), "ErrorCode": ("Number", code)}
    if message:
        cut = message.encode(errors="replace")[:_ERROR_LENGTH]
        attributes["ErrorMessage"] = ("String", cut.decode(errors="ignore"))
    return Delivery(to=to, text=event.payload.decode(), place=_place(event), attributes=attributes)


def _dead_letter_arn(function: Function, event: Event) -> str | None:
    number = event.qualifier or LATEST
    if number in function.aliases:
        number = function.aliases[number].version
    version = function.serving_version(number)
    return version.settings.dead_letter_arn if version else None


def _json(payload: bytes) -> object:
    try:
        return json.loads(payload or b"null")
    except (ValueError, RecursionError):
        return payload.decode(errors="replace")

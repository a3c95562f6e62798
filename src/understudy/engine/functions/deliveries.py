"""What Lambda hands on for a function: records of invocations to destinations, events to dead letter queues.

One attempt may meet a delegate that starts anew, so there are a few; after the last one the record is lost,
as it is on AWS, and the engine's log says so.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from understudy.engine.functions import arns, names
from understudy.engine.functions.arns import Arn
from understudy.engine.functions.background import Clock
from understudy.engine.functions.calls import AwsCalls, CallError, Place
from understudy.engine.functions.names import Target
from understudy.engine.protocol import ApiError

_ATTEMPTS = 3
_PAUSE_S = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to hand on.

    Attributes:
        to: ARN of a queue, topic, bucket, event bus or function.
        text: the record or event, as JSON.
        place: of the function; a bucket's ARN names neither account nor region.
        key: what an object in a bucket is called.
        detail_type: what an event on a bus is called.
        resources: ARNs that an event on a bus is about.
        attributes: message attributes: name to type and text.
    """

    to: str
    text: str
    place: Place
    key: str = ""
    detail_type: str = ""
    resources: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class Deliveries:
    """Hands things on; the constructor only stores.

    Args:
        calls: the services behind the engine.
        clock: waits between attempts.
        accept: takes an asynchronous invocation of a function that is a destination.
    """

    def __init__(self, calls: AwsCalls, clock: Clock, accept: Callable[[Target, bytes], None]) -> None:
        self._calls = calls
        self._clock = clock
        self._accept = accept

    async def send(self, delivery: Delivery) -> bool:
        """Hands `delivery` on; returns whether it arrived."""
        for attempt in range(_ATTEMPTS):
            try:
                await self._send(arns.parse(delivery.to), delivery)
            except CallError as exc:
                problem = str(exc)
                if exc.status < 500:
                    break
                if attempt + 1 < _ATTEMPTS:
                    await self._clock.sleep(_PAUSE_S)
            except ApiError as exc:
                problem = str(exc)
                break
            else:
                return True
        _log.error("a record for %s was lost: %s", delivery.to, problem)
        return False

    async def _send(self, to: Arn, delivery: Delivery) -> None:
        place = Place(
            account_id=to.account_id or delivery.place.account_id, region=to.region or delivery.place.region
        )
        match to.service:
            case "sqs":
                await self._send_message(to, place, delivery)
            case "sns":
                await self._calls.publish(place, to.text, delivery.text, _attributes(delivery))
            case "s3":
                await self._calls.put_object(place, to.resource, delivery.key, delivery.text.encode())
            case "events":
                await self._put_event(to, place, delivery)
            case "lambda":
                self._invoke(to, delivery)
            case _:
                raise CallError("InvalidDestination", f"nothing is handed on to {to.service}", status=400)

    async def _send_message(self, to: Arn, place: Place, delivery: Delivery) -> None:
        found = await self._calls.json(place, "sqs", "GetQueueUrl", {"QueueName": to.resource})
        message = {"QueueUrl": found["QueueUrl"], "MessageBody": delivery.text}
        if delivery.attributes:
            message["MessageAttributes"] = _attributes(delivery)
        await self._calls.json(place, "sqs", "SendMessage", message)

    async def _put_event(self, to: Arn, place: Place, delivery: Delivery) -> None:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        entry = {
            "EventBusName": to.resource.partition("/")[2] or "default",
            "Source": "lambda",
            "DetailType": delivery.detail_type,
            "Resources": [to.text, *delivery.resources],
            "Detail": delivery.text,
        }
        answer = await self._calls.json(place, "events", "PutEvents", {"Entries": [entry]})
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise CallError(str(failed.get("ErrorCode")), str(failed.get("ErrorMessage")), status=400)

    def _invoke(self, to: Arn, delivery: Delivery) -> None:
        target = names.parse(to.text, None, account_id=to.account_id, region=to.region)
        self._accept(target, delivery.text.encode())


def _attributes(delivery: Delivery) -> dict[str, dict[str, str]]:
    return {
        name: {"DataType": kind, "StringValue": text} for name, (kind, text) in delivery.attributes.items()
    }

from typing import Any

import pytest

from tests.fakes.behind import Behind, RefusalError
from understudy.engine.functions.background import Clock
from understudy.engine.functions.calls import AwsCalls, Place
from understudy.engine.functions.deliveries import Deliveries, Delivery

HERE = Place(account_id="000000000000", region="us-east-1")


class World:
    def __init__(self, *refusals: RefusalError) -> None:
        self.behind = Behind()
        self.behind.refusals += refusals
        self.waits: list[float] = []
        self.accepted: list[Any] = []

    async def send(self, to: str, **more: Any) -> bool:
        calls = AwsCalls(self.behind)
        deliveries = Deliveries(calls, Clock(sleep=self._sleep), lambda *given: self.accepted.append(given))
        return await deliveries.send(Delivery(to=to, text='{"a":1}', place=HERE, **more))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_a_queue_gets_the_text_and_its_attributes() -> None:
    world = World()
    assert await world.send("arn:aws:sqs:eu-west-1:000000000000:q", attributes={"Code": ("Number", "200")})
    assert world.behind.requests[-1] == (
        "AmazonSQS.SendMessage",
        {
            "QueueUrl": "http://localhost/q",
            "MessageBody": '{"a":1}',
            "MessageAttributes": {"Code": {"DataType": "Number", "StringValue": "200"}},
        },
    )


async def test_a_bus_gets_an_event_of_lambda() -> None:
    world = World()
    to = "arn:aws:events:us-east-1:000000000000:event-bus/orders"
    assert await world.send(to, detail_type="Result", resources=("arn:f",))
    assert world.behind.requests[-1][1] == {
        "Entries": [
            {
                "EventBusName": "orders",
                "Source": "lambda",
                "DetailType": "Result",
                "Resources": [to, "arn:f"],
                "Detail": '{"a":1}',
            }
        ]
    }


async def test_a_bucket_gets_an_object_a_topic_a_message_and_a_function_an_event() -> None:
    world = World()
    assert await world.send("arn:aws:s3:::lost", key="k")
    assert await world.send("arn:aws:sns:us-east-1:000000000000:t")
    assert await world.send("arn:aws:lambda:us-east-1:000000000000:function:next:live")
    assert world.behind.requests[0] == ("/lost/k", {"a": 1})
    assert world.behind.requests[1][1]["TopicArn"] == "arn:aws:sns:us-east-1:000000000000:t"
    ((target, payload),) = world.accepted
    assert (target.id.name, target.qualifier, payload) == ("next", "live", b'{"a":1}')


async def test_a_service_that_starts_anew_is_asked_again() -> None:
    world = World(RefusalError("ServiceUnavailable", 503), RefusalError("ServiceUnavailable", 503))
    assert await world.send("arn:aws:s3:::lost", key="k")
    assert world.waits == [0.5, 0.5]


@pytest.mark.parametrize("refusals", [1, 3])
async def test_what_cannot_arrive_is_told_to_the_log(refusals: int, caplog: pytest.LogCaptureFixture) -> None:
    world = World(*[RefusalError("Gone", 404 if refusals == 1 else 503)] * refusals)
    assert not await world.send("arn:aws:s3:::lost", key="k")
    assert len(world.waits) == refusals - 1
    assert "a record for arn:aws:s3:::lost was lost: Gone" in caplog.text


async def test_what_takes_no_deliveries_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert not await World().send("arn:aws:kinesis:us-east-1:000000000000:stream/s")
    assert "nothing is handed on to kinesis" in caplog.text

"""Asynchronous invocations over the real delegate: where they end, and what other services invoke.

Queues, topics, buckets, buses, functions: the services are MiniStack's, the functions ours.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.event_world import EventWorld, eventually, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EventWorld]:
    async with serving(tmp_path_factory.mktemp("ends")) as made:
        yield made


def _fail(event: dict[str, Any]) -> None:
    raise ValueError("poison")


async def _send(world: EventWorld, name: str, **config: Any) -> str:
    """The request id of an event `{"a": 1}` to `name`, whose configuration is `config`."""
    if config:
        await world.call("lambda", "put_function_event_invoke_config", FunctionName=name, **config)
    answer = await world.call(
        "lambda", "invoke", FunctionName=name, InvocationType="Event", Payload=b'{"a":1}'
    )
    return str(answer["ResponseMetadata"]["RequestId"])


async def test_after_its_retries_a_failure_reaches_queue_and_dead_letters(world: EventWorld) -> None:
    url, to = await world.queue("failed")
    dead_url, dead = await world.queue("letters")
    await world.function("fails", _fail, DeadLetterConfig={"TargetArn": dead})
    request_id = await _send(world, "fails", DestinationConfig={"OnFailure": {"Destination": to}})
    record = json.loads((await world.message(url))["Body"])
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": f"{FUNCTION}fails:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["responsePayload"] == {"errorType": "ValueError", "errorMessage": "poison"}
    letter = await world.message(dead_url)
    assert letter["Body"] == '{"a":1}'
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "poison"}
    assert len(world.functions.given["fails"]) == 3


async def test_success_reaches_a_function_which_is_invoked_with_the_record(world: EventWorld) -> None:
    await world.function("next", lambda _: None)
    await world.function("first", lambda _: {"ok": True})
    config = {"OnSuccess": {"Destination": f"{FUNCTION}next"}}
    await _send(world, "first", DestinationConfig=config)
    await eventually(lambda: world.functions.given.get("next"), "the second function runs")
    (record,) = world.functions.given["next"]
    assert record["requestContext"]["condition"] == "Success"
    assert (record["requestPayload"], record["responsePayload"]) == ({"a": 1}, {"ok": True})


async def test_a_failure_reaches_a_bucket_and_a_topic(world: EventWorld) -> None:
    await world.call("s3", "create_bucket", Bucket="lost")
    topic = (await world.call("sns", "create_topic", Name="letters"))["TopicArn"]
    url, queue = await world.queue("subscriber")
    await world.call("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue)
    await world.function("stores", _fail, DeadLetterConfig={"TargetArn": topic})
    config = {"OnFailure": {"Destination": "arn:aws:s3:::lost"}}
    await _send(world, "stores", DestinationConfig=config, MaximumRetryAttempts=0)
    letter = json.loads((await world.message(url))["Body"])
    assert letter["Message"] == '{"a":1}'
    assert letter["MessageAttributes"]["ErrorCode"] == {"Type": "Number", "Value": "200"}
    (item,) = (await world.call("s3", "list_objects_v2", Bucket="lost"))["Contents"]
    assert item["Key"].startswith("aws/lambda/async/stores/")
    answer = await world.call("s3", "get_object", Bucket="lost", Key=item["Key"])
    assert json.loads(answer["Body"].read())["requestContext"]["approximateInvokeCount"] == 1


async def test_success_reaches_the_default_bus(world: EventWorld) -> None:
    url, queue = await world.queue("bus")
    await world.call("events", "put_rule", Name="lambda", EventPattern='{"source": ["lambda"]}')
    await world.call("events", "put_targets", Rule="lambda", Targets=[{"Id": "1", "Arn": queue}])
    await world.function("tells", lambda _: {"ok": True})
    bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"
    await _send(world, "tells", DestinationConfig={"OnSuccess": {"Destination": bus}})
    event = json.loads((await world.message(url))["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["resources"] == [bus, f"{FUNCTION}tells:$LATEST"]
    assert event["detail"]["responsePayload"] == {"ok": True}


async def test_a_function_that_may_not_run_sends_its_events_away_at_once(world: EventWorld) -> None:
    url, to = await world.queue("shut")
    await world.function("shut", lambda _: None)
    await world.call(
        "lambda", "put_function_concurrency", FunctionName="shut", ReservedConcurrentExecutions=0
    )
    await _send(world, "shut", DestinationConfig={"OnFailure": {"Destination": to}})
    record = json.loads((await world.message(url))["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert "shut" not in world.functions.given


async def test_an_object_in_a_bucket_invokes_the_function_that_is_notified(world: EventWorld) -> None:
    arn = await world.function("objects", lambda _: None)
    await world.call("s3", "create_bucket", Bucket="watched")
    rules = [{"Name": "prefix", "Value": "in/"}]
    configuration = {
        "Id": "made",
        "LambdaFunctionArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    await world.call(
        "s3",
        "put_bucket_notification_configuration",
        Bucket="watched",
        NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]},
    )
    await world.call("s3", "put_object", Bucket="watched", Key="out/a", Body=b"a")
    await world.call("s3", "put_object", Bucket="watched", Key="in/b", Body=b"b")
    await eventually(lambda: world.functions.given.get("objects"), "the function runs")
    (record,) = world.functions.records("objects")
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert (record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) == ("watched", "in/b")


async def test_a_message_of_a_topic_and_an_event_of_a_rule_invoke_functions(world: EventWorld) -> None:
    arn = await world.function("told", lambda _: None)
    topic = (await world.call("sns", "create_topic", Name="tells"))["TopicArn"]
    await world.call("sns", "subscribe", TopicArn=topic, Protocol="lambda", Endpoint=arn)
    await world.call("sns", "publish", TopicArn=topic, Message="hello")
    await eventually(lambda: world.functions.given.get("told"), "the function runs")
    (record,) = world.functions.records("told")
    assert (record["EventSource"], record["Sns"]["Message"]) == ("aws:sns", "hello")

    arn = await world.function("ruled", lambda _: None)
    await world.call("events", "put_rule", Name="mine", EventPattern='{"source": ["mine"]}')
    await world.call("events", "put_targets", Rule="mine", Targets=[{"Id": "1", "Arn": arn}])
    entry = {"Source": "mine", "DetailType": "done", "Detail": '{"a": 1}'}
    await world.call("events", "put_events", Entries=[entry])
    await eventually(lambda: world.functions.given.get("ruled"), "the function runs")
    (event,) = world.functions.given["ruled"]
    assert (event["detail-type"], event["detail"]) == ("done", {"a": 1})

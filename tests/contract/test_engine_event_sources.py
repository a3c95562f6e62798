"""Event source mappings by the real SDK, over the real delegate's queues and streams."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.contract.event_world import EventWorld, eventually, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EventWorld]:
    async with serving(tmp_path_factory.mktemp("events")) as made:
        yield made


def _fail(event: dict[str, Any]) -> None:
    raise ValueError("poison")


async def test_a_message_becomes_the_event_that_aws_sends(world: EventWorld) -> None:
    arn = await world.function("reads", lambda _: None)
    url, source = await world.queue("reads")
    uuid = await world.mapping(EventSourceArn=source, FunctionName="reads", BatchSize=5)
    sent = await world.call(
        "sqs",
        "send_message",
        QueueUrl=url,
        MessageBody="hello",
        MessageAttributes={"color": {"DataType": "String", "StringValue": "red"}},
    )
    await eventually(lambda: world.functions.records("reads"), "the message arrives")
    (record,) = world.functions.records("reads")
    assert (record["messageId"], record["body"]) == (sent["MessageId"], "hello")
    assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert record["messageAttributes"] == {
        "color": {"stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
    }
    assert record["attributes"].keys() >= {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", source)
    assert (record["awsRegion"], bool(record["receiptHandle"])) == ("us-east-1", True)
    shown = await world.settled(uuid)
    assert (shown["State"], shown["BatchSize"], shown["FunctionArn"]) == ("Enabled", 5, arn)

    async def empty() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = await world.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)
        return set(got["Attributes"].values()) == {"0"}

    await eventually(empty, "the message was deleted")


async def test_only_reported_messages_come_again_and_end_in_the_dead_letter_queue(world: EventWorld) -> None:
    def reports(event: dict[str, Any]) -> object:
        bad = [one["messageId"] for one in event["Records"] if one["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}

    await world.function("reports", reports, Timeout=1)
    # Longer than a busy machine takes from reading the batch to deleting what is done.
    dead_url, dead = await world.queue("reports-dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    url, source = await world.queue("reports", VisibilityTimeout="6", RedrivePolicy=redrive)
    await world.mapping(
        EventSourceArn=source, FunctionName="reports", FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(("good", "bad", "fine"))]
    await world.call("sqs", "send_message_batch", QueueUrl=url, Entries=entries)
    assert (await world.message(dead_url))["Body"] == "bad"
    bodies = [record["body"] for record in world.functions.records("reports")]
    assert sorted(bodies) == ["bad", "bad", "fine", "good"]


async def test_what_a_filter_holds_back_is_gone_and_unseen(world: EventWorld) -> None:
    await world.function("filters", lambda _: None)
    url, source = await world.queue("filters")
    pattern = json.dumps({"body": {"kind": ["wanted"], "size": [{"numeric": [">", 3]}]}})
    await world.mapping(
        EventSourceArn=source, FunctionName="filters", FilterCriteria={"Filters": [{"Pattern": pattern}]}
    )
    bodies = [
        '{"kind":"other","size":9}',
        '{"kind":"wanted","size":1}',
        "plain",
        '{"kind":"wanted","size":4}',
    ]
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
    await world.call("sqs", "send_message_batch", QueueUrl=url, Entries=entries)
    await eventually(lambda: world.functions.records("filters"), "one passes")
    assert [record["body"] for record in world.functions.records("filters")] == [bodies[3]]


async def test_a_stream_is_read_from_its_oldest_record_in_order(world: EventWorld) -> None:
    source = await world.stream("oldest")
    await world.put("oldest", "a", "b")
    await world.function("oldest", lambda _: None)
    await world.mapping(EventSourceArn=source, FunctionName="oldest", StartingPosition="TRIM_HORIZON")
    await world.put("oldest", "c")
    await eventually(lambda: len(world.functions.records("oldest")) == 3, "all three arrive")
    seen = world.functions.records("oldest")
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in seen] == ["a", "b", "c"]
    assert seen[0].keys() == {
        "eventID",
        "eventName",
        "eventVersion",
        "eventSource",
        "awsRegion",
        "dynamodb",
        "eventSourceARN",
    }
    assert (seen[0]["eventName"], seen[0]["eventSourceARN"]) == ("INSERT", source)
    assert seen[0]["dynamodb"]["NewImage"] == {"id": {"S": "a"}}
    assert seen[0]["dynamodb"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


async def test_a_mapping_that_starts_with_the_latest_sees_no_earlier_record(world: EventWorld) -> None:
    source = await world.stream("latest")
    await world.put("latest", "before")
    await world.function("latest", lambda _: None)
    uuid = await world.mapping(EventSourceArn=source, FunctionName="latest", StartingPosition="LATEST")
    await world.put("latest", "after")
    await eventually(lambda: world.functions.records("latest"), "the later record arrives")
    keys = [record["dynamodb"]["Keys"]["id"]["S"] for record in world.functions.records("latest")]
    assert keys == ["after"]

    async def told() -> bool:
        return bool((await world.settled(uuid))["LastProcessingResult"] == "OK")

    await eventually(told, "the result is told")


async def test_a_poisoned_record_is_given_up_on_alone(world: EventWorld) -> None:
    def code(event: dict[str, Any]) -> None:
        if any(one["dynamodb"]["Keys"]["id"]["S"] == "bad" for one in event["Records"]):
            raise ValueError("poison")

    source = await world.stream("poison")
    await world.function("poison", code)
    dead_url, dead = await world.queue("poison-dead")
    await world.put("poison", "a", "b", "bad", "c")
    uuid = await world.mapping(
        EventSourceArn=source,
        FunctionName="poison",
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": dead}},
    )
    record = json.loads((await world.message(dead_url))["Body"])
    info = record["DDBStreamBatchInfo"]
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert (info["batchSize"], info["streamArn"]) == (1, source)
    assert info["startSequenceNumber"] == info["endSequenceNumber"]

    def done() -> list[str]:
        good = [event for event in world.functions.given["poison"] if len(event["Records"]) < 4]
        return [one["dynamodb"]["Keys"]["id"]["S"] for event in good for one in event["Records"]]

    await eventually(lambda: done()[-1:] == ["c"], "the record behind it arrives")
    assert done() == ["a", "b", "bad", "c", "bad", "bad", "c"]
    await world.call("lambda", "delete_event_source_mapping", UUID=uuid)


async def test_a_disabled_mapping_rests_and_a_deleted_one_is_gone(world: EventWorld) -> None:
    await world.function("rests", lambda _: None)
    url, source = await world.queue("rests")
    uuid = await world.mapping(EventSourceArn=source, FunctionName="rests")
    changed = await world.call("lambda", "update_event_source_mapping", UUID=uuid, Enabled=False)
    assert changed["State"] == "Disabling"
    assert (await world.settled(uuid))["State"] == "Disabled"
    await world.call("sqs", "send_message", QueueUrl=url, MessageBody="waits")
    await world.call("lambda", "update_event_source_mapping", UUID=uuid, Enabled=True)
    await eventually(lambda: world.functions.records("rests"), "it reads again")
    listed = await world.call("lambda", "list_event_source_mappings", FunctionName="rests")
    assert [one["UUID"] for one in listed["EventSourceMappings"]] == [uuid]
    gone = await world.call("lambda", "delete_event_source_mapping", UUID=uuid)
    assert gone["State"] == "Deleting"

    async def absent() -> bool:
        try:
            await world.call("lambda", "get_event_source_mapping", UUID=uuid)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
        return False

    await eventually(absent, "it is gone")


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"FunctionName": "nobody"}, "InvalidParameterValueException", "Function does not exist"),
        ({"BatchSize": 11}, "InvalidParameterValueException", "Maximum batch window in seconds must be"),
        ({"BatchSize": 10_001}, "ValidationException", "less than or equal to 10000"),
        ({"StartingPosition": "LATEST"}, "InvalidParameterValueException", "Unsupported StartingPosition"),
        (
            {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:none"},
            "InvalidParameterValueException",
            "SQS",
        ),
        (
            {"EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"},
            "InvalidParameterValueException",
            "understudy does not support event sources of kinesis",
        ),
        ({"TumblingWindowInSeconds": 5}, "InvalidParameterValueException", "TumblingWindowInSeconds"),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": "{"}]}},
            "InvalidParameterValueException",
            "Invalid filter pattern definition.",
        ),
        (
            {"FunctionName": "slow"},
            "InvalidParameterValueException",
            "30 seconds is less than Function timeout: 60",
        ),
        ({}, "ResourceConflictException", "already exists"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_refuses_as_lambda_does(
    world: EventWorld, changes: dict[str, Any], code: str, text: str
) -> None:
    _, source = await world.queue("refused")
    if "refused" not in world.functions.code:
        await world.function("refused", lambda _: None)
        await world.function("slow", lambda _: None, Timeout=60)
        await world.mapping(EventSourceArn=source, FunctionName="refused")
    asked = {"EventSourceArn": source, "FunctionName": "refused", **changes}
    with pytest.raises(ClientError) as caught:
        await world.call("lambda", "create_event_source_mapping", **asked)
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]

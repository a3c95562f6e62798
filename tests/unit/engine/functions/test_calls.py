import pytest

from tests.fakes.behind import Behind, RefusalError
from understudy.engine.functions.calls import AwsCalls, CallError, Place
from understudy.engine.protocol import Receive, Scope, Send

HERE = Place(account_id="123456789012", region="eu-west-1")


async def test_a_call_names_operation_and_account() -> None:
    behind = Behind()
    answer = await AwsCalls(behind).json(HERE, "sqs", "GetQueueUrl", {"QueueName": "q"})
    assert answer == {"QueueUrl": "http://localhost/q"}
    assert behind.requests == [("AmazonSQS.GetQueueUrl", {"QueueName": "q"})]
    assert behind.accounts == ["123456789012"]


async def test_a_refusal_keeps_its_name() -> None:
    behind = Behind()
    behind.refusals.append(RefusalError("QueueDoesNotExist"))
    with pytest.raises(CallError) as caught:
        await AwsCalls(behind).json(HERE, "sqs", "GetQueueUrl", {"QueueName": "q"})
    assert (caught.value.code, caught.value.status, caught.value.message) == ("QueueDoesNotExist", 400, "no")


async def test_a_topic_takes_a_form_and_a_bucket_an_object() -> None:
    behind = Behind()
    calls = AwsCalls(behind)
    await calls.publish(HERE, "arn:topic", "text", {"A": {"DataType": "String", "StringValue": "v"}})
    await calls.put_object(HERE, "bucket", "a/b c", b"{}")
    assert behind.requests[0][1] == {
        "Action": "Publish",
        "Version": "2010-03-31",
        "TopicArn": "arn:topic",
        "Message": "text",
        "MessageAttributes.entry.1.Name": "A",
        "MessageAttributes.entry.1.Value.DataType": "String",
        "MessageAttributes.entry.1.Value.StringValue": "v",
    }
    assert behind.requests[1] == ("/bucket/a/b%20c", {})


async def test_a_refusal_in_xml_keeps_its_name() -> None:
    behind = Behind()
    behind.refusals.append(RefusalError("NoSuchBucket", 404))
    with pytest.raises(CallError) as caught:
        await AwsCalls(behind).put_object(HERE, "bucket", "key", b"{}")
    assert (caught.value.code, caught.value.status) == ("NoSuchBucket", 404)


async def _gone(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionRefusedError


async def _babbling(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 502, "headers": []})
    await send({"type": "http.response.body", "body": b"<html>"})


@pytest.mark.parametrize("app", [_gone, _babbling])
async def test_no_answer_of_aws_is_a_service_that_is_unavailable(app: object) -> None:
    with pytest.raises(CallError) as caught:
        await AwsCalls(app).json(HERE, "events", "PutEvents", {})  # type: ignore[arg-type]
    assert caught.value.code == "ServiceUnavailable"
    with pytest.raises(CallError) as caught:
        await AwsCalls(app).put_object(HERE, "bucket", "key", b"{}")  # type: ignore[arg-type]
    assert caught.value.code == "ServiceUnavailable"

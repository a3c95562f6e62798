import json

from tests.unit.engine.functions.sources.mappings import mapping, record
from understudy.engine.functions.invoke import InvokeOutcome
from understudy.engine.functions.sources.batches import BatchResult
from understudy.engine.functions.sources.failures import Failure, delivery

OUTCOME = InvokeOutcome(status=200, payload=b"{}", function_error="Unhandled", executed_version="3")
RESULT = BatchResult(request_id="r1", failed=frozenset({"1", "2"}), answer=OUTCOME)
NOW = 1_700_000_100.25


def _failure(result: BatchResult | None = RESULT) -> Failure:
    return Failure(
        shard_id="shard-1",
        records=[record(1), record(2)],
        condition="RetryAttemptsExhausted",
        attempts=3,
        result=result,
    )


def test_the_record_is_aws_s() -> None:
    made = delivery(mapping(on_failure="arn:aws:sqs:us-east-1:000000000000:dead"), _failure(), NOW)
    assert made is not None
    assert json.loads(made.text) == {
        "requestContext": {
            "requestId": "r1",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:dash",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "3", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2023-11-14T22:15:00.250Z",
        "DDBStreamBatchInfo": {
            "shardId": "shard-1",
            "startSequenceNumber": "1",
            "endSequenceNumber": "2",
            "approximateArrivalOfFirstRecord": "2023-11-14T22:13:21Z",
            "approximateArrivalOfLastRecord": "2023-11-14T22:13:22Z",
            "batchSize": 2,
            "streamArn": mapping().source.text,
        },
    }


def test_a_bucket_gets_the_records_too() -> None:
    one = mapping(on_failure="arn:aws:s3:::lost")
    made = delivery(one, _failure(), NOW)
    assert made is not None
    assert json.loads(json.loads(made.text)["payload"]) == {"Records": [record(1), record(2)]}
    assert made.key.startswith(f"aws/lambda/{one.uuid}/shard-1/2023/11/14/2023-11-14T22.15.00-")


def test_records_that_never_ran_have_no_response() -> None:
    made = delivery(mapping(on_failure="arn:aws:s3:::lost"), _failure(None), NOW)
    assert made is not None
    assert "responseContext" not in json.loads(made.text)


def test_without_a_destination_there_is_nothing_to_hand_on() -> None:
    assert delivery(mapping(), _failure(), NOW) is None

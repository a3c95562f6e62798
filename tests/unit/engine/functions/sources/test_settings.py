from typing import Any

import pytest

from understudy.engine.functions import arns
from understudy.engine.functions.sources import settings
from understudy.engine.protocol import ApiError

QUEUE = arns.parse("arn:aws:sqs:us-east-1:000000000000:work")
FIFO = arns.parse("arn:aws:sqs:us-east-1:000000000000:work.fifo")
STREAM = arns.parse("arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x")


def test_the_defaults_are_lambda_s() -> None:
    queue, stream = settings.created({}, QUEUE), settings.created({}, STREAM)
    assert (queue.batch_size, stream.batch_size) == (10, 100)
    assert (stream.maximum_retries, stream.maximum_age_s, stream.window_s) == (-1, -1, 0)
    assert queue.enabled


def test_an_update_leaves_alone_what_it_does_not_mention() -> None:
    before = settings.created({"BatchSize": 3, "FunctionResponseTypes": ["ReportBatchItemFailures"]}, STREAM)
    after = settings.updated(before, {"MaximumRetryAttempts": 0, "Enabled": False}, STREAM)
    assert (after.batch_size, after.report_failures, after.maximum_retries, after.enabled) == (
        3,
        True,
        0,
        False,
    )


def test_an_update_takes_settings_away() -> None:
    to = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:dead"}}
    criteria = {"Filters": [{"Pattern": '{"a":["b"]}'}]}
    before = settings.created({"DestinationConfig": to, "FilterCriteria": criteria}, STREAM)
    nothing = {
        "DestinationConfig": {"OnFailure": {"Destination": ""}},
        "FilterCriteria": {"Filters": []},
        "FunctionResponseTypes": [],
    }
    after = settings.updated(before, nothing, STREAM)
    assert (before.on_failure, before.patterns) == (to["OnFailure"]["Destination"], ('{"a":["b"]}',))
    assert after == settings.created({}, STREAM)


@pytest.mark.parametrize(
    ("arn", "params", "text"),
    [
        (QUEUE, {"BisectBatchOnFunctionError": True}, "Unsupported BisectBatchOnFunctionError"),
        (STREAM, {"ScalingConfig": {"MaximumConcurrency": 2}}, "Unsupported ScalingConfig"),
        (QUEUE, {"BatchSize": 11}, "batch window"),
        (FIFO, {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 0}, "FIFO"),
        (FIFO, {"MaximumBatchingWindowInSeconds": 1}, "FIFO"),
        (STREAM, {"MaximumRecordAgeInSeconds": 59}, "record age"),
        (STREAM, {"KMSKeyArn": "k"}, "understudy does not support KMSKeyArn"),
        (
            STREAM,
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:lambda:r:a:function:f"}}},
            "invalid",
        ),
        (STREAM, {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:sqs:r:a:q"}}}, "Unsupported"),
        (QUEUE, {"ScalingConfig": {"MaximumConcurrency": 1001}}, "less than or equal to 1000"),
        (STREAM, {"FilterCriteria": {"Filters": [{"Pattern": '{"a":["b"]}'}] * 6}}, "limit of 5"),
    ],
)
def test_refuses(arn: arns.Arn, params: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError, match=text):
        settings.created(params, arn)


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (None, "Unrecognized event source"),
        ("arn:aws:dynamodb:us-east-1:000000000000:table/t", "dynamodb stream"),
        ("arn:aws:kinesis:us-east-1:000000000000:stream/s", "understudy does not support"),
    ],
)
def test_refuses_sources_that_it_cannot_read(arn: str | None, text: str) -> None:
    with pytest.raises(ApiError, match=text):
        settings.source({"EventSourceArn": arn})


@pytest.mark.parametrize("wanted", [None, "AT_TIMESTAMP", "MIDDLE"])
def test_a_stream_needs_a_position_that_it_has(wanted: str | None) -> None:
    with pytest.raises(ApiError):
        settings.position({"StartingPosition": wanted}, STREAM)
    assert settings.position({}, QUEUE) is None

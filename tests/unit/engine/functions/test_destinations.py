import json
from dataclasses import replace
from typing import Any

from tests.unit.engine.functions.records import function, version
from understudy.engine.functions import destinations
from understudy.engine.functions.deliveries import Delivery
from understudy.engine.functions.destinations import Condition, Ending
from understudy.engine.functions.event import Event
from understudy.engine.functions.invoke import InvokeOutcome
from understudy.engine.functions.model import LATEST, EventInvokeConfig, Function

NOW = 1_700_000_100.25
GOOD = InvokeOutcome(status=200, payload=b'{"ok":1}', function_error=None, executed_version="$LATEST")
BAD = InvokeOutcome(
    status=200,
    payload=b'{"errorType":"ValueError","errorMessage":"poison"}',
    function_error="Unhandled",
    executed_version="$LATEST",
)
ARN = "arn:aws:lambda:us-east-1:000000000000:function:dash:$LATEST"


def _function(*, dead_letters: str | None = None, **config: Any) -> Function:
    base = function()
    latest = replace(base.latest, settings=replace(version().settings, dead_letter_arn=dead_letters))
    configs = {LATEST: EventInvokeConfig(qualifier=LATEST, last_modified="", **config)} if config else {}
    return replace(base.with_version(latest), serving=latest, event_configs=configs)


def _of(made: Function, ending: Ending, attempts: int = 3) -> list[Delivery]:
    event = Event(
        function=made.id,
        qualifier=None,
        request_id="r1",
        payload=b'{"a":1}',
        accepted_at=0.0,
        attempts=attempts,
    )
    return list(destinations.of(made, event, ending, NOW))


def test_a_failed_event_s_record_is_aws_s() -> None:
    (made,) = _of(_function(on_failure="arn:aws:sqs:r:a:dead"), Ending(Condition.RETRIES, BAD))
    assert json.loads(made.text) == {
        "version": "1.0",
        "timestamp": "2023-11-14T22:15:00.250Z",
        "requestContext": {
            "requestId": "r1",
            "functionArn": ARN,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "ValueError", "errorMessage": "poison"},
    }
    assert (made.detail_type, made.resources) == ("Lambda Function Invocation Result - Failure", (ARN,))
    assert made.key.startswith("aws/lambda/async/dash/2023/11/14/2023-11-14T22.15.00-")


def test_success_goes_where_success_goes() -> None:
    both = _function(on_success="arn:good", on_failure="arn:bad", dead_letters="arn:dead")
    (made,) = _of(both, Ending(Condition.SUCCESS, GOOD), 1)
    record = json.loads(made.text)
    assert (made.to, record["requestContext"]["condition"]) == ("arn:good", "Success")
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"ok": 1}


def test_an_event_that_never_ran_has_no_response() -> None:
    (made,) = _of(_function(on_failure="arn:bad"), Ending(Condition.NO_CONCURRENCY, None), 0)
    record = json.loads(made.text)
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert not {"responseContext", "responsePayload"} & record.keys()


def test_a_dead_letter_is_the_event_with_the_error_beside_it() -> None:
    first, letter = _of(
        _function(on_failure="arn:bad", dead_letters="arn:dead"), Ending(Condition.RETRIES, BAD)
    )
    assert (first.to, letter.to, letter.text) == ("arn:bad", "arn:dead", '{"a":1}')
    assert letter.attributes == {
        "RequestID": ("String", "r1"),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "poison"),
    }


def test_an_error_message_is_cut_and_a_missing_one_left_out() -> None:
    long = replace(BAD, payload=json.dumps({"errorMessage": "é" * 1000}).encode())
    none = replace(BAD, payload=b"not json")
    made = _function(dead_letters="arn:dead")
    (cut,) = _of(made, Ending(Condition.RETRIES, long))
    (without,) = _of(made, Ending(Condition.RETRIES, none))
    assert cut.attributes["ErrorMessage"] == ("String", "é" * 512)
    assert "ErrorMessage" not in without.attributes


def test_an_error_message_that_is_no_unicode_is_handed_on_without_what_is_not() -> None:
    # What Python makes of a file name that is not UTF-8.
    said = replace(BAD, payload=json.dumps({"errorMessage": "no file a\udcff"}).encode())
    (letter,) = _of(_function(dead_letters="arn:dead"), Ending(Condition.RETRIES, said))
    assert letter.attributes["ErrorMessage"] == ("String", "no file a?")


def test_an_answer_nested_too_deep_to_be_read_is_text() -> None:
    made = _function(on_success="arn:good")
    answer = "[" * 100_000
    outcome = InvokeOutcome(
        status=200, payload=answer.encode(), function_error=None, executed_version="$LATEST"
    )
    (delivery,) = _of(made, Ending(Condition.SUCCESS, outcome))
    assert json.loads(delivery.text)["responsePayload"] == answer


def test_nothing_configured_is_nothing_handed_on() -> None:
    assert _of(_function(), Ending(Condition.RETRIES, BAD)) == []

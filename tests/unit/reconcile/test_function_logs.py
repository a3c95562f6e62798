import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from understudy.reconcile import function_logs
from understudy.reconcile.errors import AwsError
from understudy.reconcile.function_logs import LogLine


def event(number: int) -> dict[str, object]:
    return {"timestamp": number, "logStreamName": "s", "eventId": f"e{number}", "message": f"m{number}\n"}


def test_every_page_is_read_with_the_same_filter() -> None:
    fake = ScriptedAws(
        {"FilterLogEvents": [{"events": [event(1)], "nextToken": "t"}, {"events": [event(2), event(3)]}]}
    )

    found = list(function_logs.lines(fake.aws, "/aws/lambda/f", since_ms=7, pattern="ERROR"))

    assert found[0] == LogLine(at_ms=1, stream="s", event_id="e1", message="m1\n")
    assert [line.at_ms for line in found] == [1, 2, 3]
    first = {"logGroupName": "/aws/lambda/f", "startTime": 7, "filterPattern": "ERROR"}
    assert [params for _, params in fake.calls] == [first, {**first, "nextToken": "t"}]


def test_an_empty_page_is_not_the_end() -> None:
    fake = ScriptedAws({"FilterLogEvents": [{"events": [], "nextToken": "t"}, {"events": [event(1)]}]})
    assert len(list(function_logs.lines(fake.aws, "g", since_ms=0))) == 1


def test_a_group_that_does_not_exist_has_no_lines() -> None:
    fake = ScriptedAws({"FilterLogEvents": Refusal(code="ResourceNotFoundException")})
    assert list(function_logs.lines(fake.aws, "g", since_ms=0)) == []


def test_a_malformed_pattern_is_aws_s_refusal() -> None:
    fake = ScriptedAws({"FilterLogEvents": Refusal(code="InvalidParameterException", message="bad pattern")})
    with pytest.raises(AwsError, match="bad pattern"):
        list(function_logs.lines(fake.aws, "g", since_ms=0, pattern="{"))


def test_an_endpoint_that_numbers_no_events_gets_its_lines_told_apart_all_the_same() -> None:
    events = [{"timestamp": 1, "logStreamName": "s", "message": text} for text in ("a", "b", "a")]
    fake = ScriptedAws({"FilterLogEvents": {"events": events}})
    found = [line.event_id for line in function_logs.lines(fake.aws, "group", since_ms=0)]
    assert found == ["s 1 a", "s 1 b", "s 1 a"]

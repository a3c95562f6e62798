"""Logs as a client sees them: groups, streams, retention, tags, paging and filtering."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from understudy.engine.logs.service import LogsService
from understudy.engine.logs.store import DAY_MS, LogStore
from understudy.engine.protocol import ApiError, Call

NOW_S = 1_800_000_000.0
NOW_MS = int(NOW_S * 1000)
GROUP = {"logGroupName": "/aws/lambda/f"}
STREAM = {**GROUP, "logStreamName": "s"}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


class Client:
    """Calls operations by name."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = LogStore(path / "logs.sqlite", clock=self.clock).open()
        self._service = LogsService(self.store)

    async def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._service.operations[operation](
            Call(service="logs", operation=operation, params=params)
        )

    async def messages(self, **params: Any) -> list[str]:
        output = await self("FilterLogEvents", **{**GROUP, **params})
        return [event["message"] for event in output["events"]]


@pytest.fixture
async def logs(tmp_path: Path) -> AsyncIterator[Client]:
    client = Client(tmp_path)
    yield client
    client.store.close()


async def _put(logs: Client, *messages: str, start_ms: int = NOW_MS) -> dict[str, Any]:
    events = [{"timestamp": start_ms + at, "message": text} for at, text in enumerate(messages)]
    return await logs("PutLogEvents", **STREAM, logEvents=events)


@pytest.fixture
async def stream(logs: Client) -> Client:
    await logs("CreateLogGroup", **GROUP)
    await logs("CreateLogStream", **STREAM)
    return logs


async def test_reads_at_once_what_a_function_wrote(logs: Client) -> None:
    logs.store.append(GROUP["logGroupName"], "2026/01/01/[$LATEST]x", [(NOW_MS, "START"), (NOW_MS, "END")])
    assert await logs.messages() == ["START", "END"]
    streams = (await logs("DescribeLogStreams", **GROUP))["logStreams"]
    assert [(each["logStreamName"], each["lastEventTimestamp"]) for each in streams] == [
        ("2026/01/01/[$LATEST]x", NOW_MS)
    ]


async def test_keeps_events_for_the_next_start(tmp_path: Path) -> None:
    first = Client(tmp_path)
    first.store.append("g", "s", [(NOW_MS, "kept")])
    first.store.close()
    second = Client(tmp_path)
    assert await second.messages(logGroupName="g") == ["kept"]
    second.store.close()


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("CreateLogGroup", GROUP, "ResourceAlreadyExistsException", "The specified log group already exists"),
        (
            "CreateLogStream",
            STREAM,
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
        ),
        (
            "DeleteLogGroup",
            {"logGroupName": "x"},
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
        (
            "GetLogEvents",
            {**GROUP, "logStreamName": "x"},
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        ),
        (
            "FilterLogEvents",
            {**GROUP, "logStreamNames": ["x"]},
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        ),
    ],
)
async def test_refuses_in_aws_words(
    stream: Client, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        await stream(operation, **params)
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_events_must_be_in_order_and_within_a_day(stream: Client) -> None:
    events = [{"timestamp": NOW_MS, "message": "b"}, {"timestamp": NOW_MS - 1, "message": "a"}]
    with pytest.raises(ApiError, match="chronological order"):
        await stream("PutLogEvents", **STREAM, logEvents=events)
    events = [{"timestamp": NOW_MS - DAY_MS - 1, "message": "a"}, {"timestamp": NOW_MS, "message": "b"}]
    with pytest.raises(ApiError, match="24 hours"):
        await stream("PutLogEvents", **STREAM, logEvents=events)


async def test_counts_events_that_are_too_old_or_too_new(stream: Client) -> None:
    output = await _put(stream, "old", start_ms=NOW_MS - 15 * DAY_MS)
    assert output["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    output = await _put(stream, "new", start_ms=NOW_MS + 3 * 3_600_000)
    assert output["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    assert await stream.messages() == []


async def test_retention_is_applied(stream: Client) -> None:
    await _put(stream, "day one")
    await stream("PutRetentionPolicy", **GROUP, retentionInDays=3)
    assert (await stream("DescribeLogGroups"))["logGroups"][0]["retentionInDays"] == 3
    stream.clock.now_s += 3 * 86_400 + 1
    await _put(stream, "day four", start_ms=NOW_MS + 3 * DAY_MS + 1000)
    assert await stream.messages() == ["day four"]
    kept = await stream.store.run(lambda state: state.execute("SELECT message FROM log_events"))
    assert [row["message"] for row in kept] == ["day four"]
    await stream("DeleteRetentionPolicy", **GROUP)
    assert (await stream("DescribeLogGroups"))["logGroups"][0]["retentionInDays"] is None


async def test_refuses_a_retention_that_aws_does_not_offer(stream: Client) -> None:
    with pytest.raises(ApiError, match="enum value set"):
        await stream("PutRetentionPolicy", **GROUP, retentionInDays=4)


async def test_get_pages_forward_until_the_token_repeats(stream: Client) -> None:
    await _put(stream, *"abcde")
    first = await stream("GetLogEvents", **STREAM, startFromHead=True, limit=3)
    assert [event["message"] for event in first["events"]] == ["a", "b", "c"]
    second = await stream("GetLogEvents", **STREAM, limit=3, nextToken=first["nextForwardToken"])
    assert [event["message"] for event in second["events"]] == ["d", "e"]
    third = await stream("GetLogEvents", **STREAM, limit=3, nextToken=second["nextForwardToken"])
    assert third["events"] == []
    assert third["nextForwardToken"] == second["nextForwardToken"]


async def test_get_starts_at_the_end_and_pages_backward(stream: Client) -> None:
    await _put(stream, *"abcde")
    last = await stream("GetLogEvents", **STREAM, limit=2)
    assert [event["message"] for event in last["events"]] == ["d", "e"]
    before = await stream("GetLogEvents", **STREAM, limit=2, nextToken=last["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == ["b", "c"]
    with pytest.raises(ApiError, match="nextToken is invalid"):
        await stream("GetLogEvents", **STREAM, nextToken="x")


async def test_get_ends_before_and_filter_ends_with_the_end_time(stream: Client) -> None:
    await _put(stream, *"abc")
    got = await stream("GetLogEvents", **STREAM, startTime=NOW_MS + 1, endTime=NOW_MS + 2)
    assert [event["message"] for event in got["events"]] == ["b"]
    assert await stream.messages(startTime=NOW_MS + 1, endTime=NOW_MS + 2) == ["b", "c"]


async def test_filter_pages_and_matches(stream: Client) -> None:
    await _put(stream, "ERROR 1", "ok", "ERROR 2", "ERROR 3")
    first = await stream("FilterLogEvents", **GROUP, filterPattern="ERROR", limit=2)
    assert [event["message"] for event in first["events"]] == ["ERROR 1", "ERROR 2"]
    assert await stream.messages(filterPattern="ERROR", nextToken=first["nextToken"]) == ["ERROR 3"]
    assert await stream.messages(logStreamNamePrefix="z") == []
    with pytest.raises(ApiError, match="mutually exclusive"):
        await stream.messages(logStreamNamePrefix="s", logStreamNames=["s"])


async def test_groups_are_listed_in_pages_by_prefix_and_part(logs: Client) -> None:
    for name in ("a/1", "a/2", "b/X"):
        await logs("CreateLogGroup", logGroupName=name)
    first = await logs("DescribeLogGroups", limit=2)
    second = await logs("DescribeLogGroups", limit=2, nextToken=first["nextToken"])
    assert [group["logGroupName"] for group in second["logGroups"]] == ["b/X"]
    assert "nextToken" not in second
    assert len((await logs("DescribeLogGroups", logGroupNamePrefix="a/"))["logGroups"]) == 2
    assert len((await logs("DescribeLogGroups", logGroupNamePattern="/x"))["logGroups"]) == 1


async def test_streams_are_ordered_by_name_or_last_event(logs: Client) -> None:
    logs.store.append("g", "a", [(NOW_MS, "x")])
    logs.store.append("g", "b", [(NOW_MS + 5, "x")])
    logs.store.append("g", "c", [(NOW_MS + 1, "x")])
    by_time = await logs("DescribeLogStreams", logGroupName="g", orderBy="LastEventTime", descending=True)
    assert [each["logStreamName"] for each in by_time["logStreams"]] == ["b", "c", "a"]
    page = await logs("DescribeLogStreams", logGroupName="g", limit=2)
    rest = await logs("DescribeLogStreams", logGroupName="g", limit=2, nextToken=page["nextToken"])
    assert [each["logStreamName"] for each in rest["logStreams"]] == ["c"]
    with pytest.raises(ApiError, match="Cannot order by LastEventTime"):
        await logs("DescribeLogStreams", logGroupName="g", orderBy="LastEventTime", logStreamNamePrefix="a")


async def test_deleting_takes_what_is_below(stream: Client) -> None:
    await _put(stream, "x")
    await stream("DeleteLogStream", **STREAM)
    assert (await stream("DescribeLogStreams", **GROUP))["logStreams"] == []
    await stream("DeleteLogGroup", **GROUP)
    rows = await stream.store.run(lambda state: state.execute("SELECT count(*) AS n FROM log_events"))
    assert rows[0]["n"] == 0


async def test_tags_by_arn_and_by_name(logs: Client) -> None:
    await logs("CreateLogGroup", **GROUP, tags={"a": "1"})
    arn = (await logs("DescribeLogGroups"))["logGroups"][0]["arn"]
    await logs("TagResource", resourceArn=arn, tags={"b": "2"})
    await logs("TagLogGroup", **GROUP, tags={"c": "3"})
    await logs("UntagResource", resourceArn=arn, tagKeys=["a"])
    await logs("UntagLogGroup", **GROUP, tags=["c"])
    assert (await logs("ListTagsForResource", resourceArn=arn))["tags"] == {"b": "2"}
    assert (await logs("ListTagsLogGroup", **GROUP))["tags"] == {"b": "2"}


async def test_a_group_may_be_named_by_its_arn(stream: Client) -> None:
    await _put(stream, "x")
    arn = (await stream("DescribeLogGroups"))["logGroups"][0]["logGroupArn"]
    output = await stream("FilterLogEvents", logGroupIdentifier=arn)
    assert [event["message"] for event in output["events"]] == ["x"]
    with pytest.raises(ApiError, match="required"):
        await stream("FilterLogEvents")


async def test_nothing_is_subscribed(stream: Client) -> None:
    assert await stream("DescribeSubscriptionFilters", **GROUP) == {"subscriptionFilters": []}
    with pytest.raises(ApiError):
        await stream("DescribeSubscriptionFilters", logGroupName="/absent")

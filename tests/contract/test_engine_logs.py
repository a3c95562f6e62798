"""CloudWatch Logs through the SDK: its paginators, exceptions and waiters accept what we answer."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.engine_process import EngineProcess


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    engine = EngineProcess(tmp_path_factory.mktemp("logs") / ".understudy", with_delegate=False).start()
    yield engine.client("logs")
    engine.close()


def test_a_life_of_a_log_group(logs: Any) -> None:
    group, stream = "/aws/lambda/f", "2026/01/01/[$LATEST]abc"
    logs.create_log_group(logGroupName=group, tags={"team": "x"})
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms + at, "message": f'{{"level": "ERROR", "n": {at}}}'} for at in range(25)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern='{ $.level = "ERROR" && $.n >= 5 }',
        PaginationConfig={"PageSize": 7},
    )
    found = [event for page in pages for event in page["events"]]
    assert len(found) == 20
    assert found[0]["logStreamName"] == stream
    described = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda")["logGroups"][0]
    assert described["retentionInDays"] == 7
    assert described["storedBytes"] > 0
    assert logs.list_tags_for_resource(resourceArn=described["logGroupArn"])["tags"] == {"team": "x"}
    streams = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, orderBy="LastEventTime")
    assert [each["logStreamName"] for page in streams for each in page["logStreams"]] == [stream]
    logs.delete_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="specified log group does not exist"):
        logs.filter_log_events(logGroupName=group)

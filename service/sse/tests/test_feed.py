import asyncio
import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sse.feed import Limits, Table, events

ONE = {"id": "1", "name": "Tech"}
TWO = {"id": "2", "name": "Big Tech"}


async def _told(
    answers: list[list[Mapping[str, Any]]], limits: Limits, last_id: str | None = None
) -> list[str]:
    left = list(answers)

    async def read() -> list[Mapping[str, Any]]:
        return left.pop(0) if len(left) > 1 else left[0]

    async def pause(_: float) -> None:
        return

    stream = events(await read(), read, limits, last_id=last_id, pause=pause)
    return [item.decode() async for item in stream]


def told(answers: list[list[Mapping[str, Any]]], limits: Limits, last_id: str | None = None) -> list[str]:
    return asyncio.run(_told(answers, limits, last_id))


def data(event: str) -> list[str]:
    line = next(line for line in event.splitlines() if line.startswith("data: "))
    return [item["name"] for item in json.loads(line.removeprefix("data: "))["configurations"]]


def test_tells_what_there_is_and_then_each_change_once() -> None:
    retry, first, second, *rest = told([[ONE], [ONE], [ONE, TWO], [ONE, TWO]], Limits(seconds=10))
    assert retry == "retry: 1000\n\n"
    assert (data(first), data(second)) == (["Tech"], ["Tech", "Big Tech"])
    assert rest == []


def test_ends_after_so_many_events_or_seconds() -> None:
    answers = [[ONE], [TWO], [ONE], [TWO]]
    assert len(told(answers, Limits(seconds=100, events=2))) == 3
    assert len(told(answers, Limits(seconds=3))) == 4


def test_a_page_that_comes_back_hears_nothing_twice() -> None:
    first = told([[ONE]], Limits(seconds=1))[1]
    last_id = next(line for line in first.splitlines() if line.startswith("id: ")).removeprefix("id: ")
    again = told([[ONE]], Limits(seconds=31), last_id)
    assert again == ["retry: 1000\n\n", *3 * [": still here\n\n"]]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("credentials")
def test_reads_one_users_configurations_from_the_dashboards_table() -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        for user, sort in (("alice", "CONFIGURATION#1"), ("alice", "SLOTS"), ("bob", "CONFIGURATION#2")):
            item = {
                "pk": {"S": f"USER#{user}"},
                "sk": {"S": sort},
                "name": {"S": "Tech"},
                "tickers": {"L": [{"S": "AAPL"}]},
                "active": {"BOOL": True},
                "version": {"N": "3"},
                "updated_at": {"S": "2026-01-01T00:00:00.000+00:00"},
            }
            client.put_item(TableName="t", Item=item)
        table = Table("t")
        found = [asyncio.run(table.read("alice")) for _ in range(2)][1]
    assert found == [
        {
            "id": "1",
            "name": "Tech",
            "tickers": ["AAPL"],
            "active": True,
            "version": 3,
            "updated_at": "2026-01-01T00:00:00.000+00:00",
        }
    ]

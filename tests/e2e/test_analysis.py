"""The analysis of configurations: it follows the table's stream, and what it cannot read ends in a queue."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Target

CONFIGURATIONS = "/api/v2/configurations"
TABLE, RESULTS, FAILURES = "dashboard-configurations", "dashboard-analyses", "dashboard-analysis-failures"
_WITHIN_S = 120.0

Key = dict[str, dict[str, str]]


def _eventually(look: Callable[[], Any], what: str) -> Any:
    """What `look` finds once it finds something."""
    end = time.monotonic() + _WITHIN_S
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"never happened: {what}")


def _analysis(target: Target, key: Key) -> dict[str, Any] | None:
    answer = target.session.client("dynamodb").get_item(TableName=RESULTS, Key=key)
    return answer.get("Item")


def _key(user: dict[str, str], configuration: str) -> Key:
    return {"pk": {"S": f"USER#{user['X-User-ID']}"}, "sk": {"S": f"CONFIGURATION#{configuration}"}}


def test_a_configuration_is_analysed_and_its_analysis_goes_with_it(
    api: httpx.Client, target: Target, user: dict[str, str]
) -> None:
    body = {"name": "Analysed", "tickers": ["AAPL", "MSFT", "BA"]}
    created = api.post(CONFIGURATIONS, headers=user, json=body)
    assert created.status_code == 201
    key = _key(user, created.json()["id"])
    found = _eventually(lambda: _analysis(target, key), "the analysis is there")
    assert found["exchanges"] == {"M": {"NASDAQ": {"N": "2"}, "NYSE": {"N": "1"}}}
    assert found["concentration"] == {"N": "0.5556"}
    assert api.delete(f"{CONFIGURATIONS}/{created.json()['id']}", headers=user).status_code == 204
    _eventually(lambda: _analysis(target, key) is None, "the analysis is gone")


@contextmanager
def _poison(target: Target, key: Key) -> Iterator[None]:
    """A configuration that the API would never have written, while the test lasts."""
    client = target.session.client("dynamodb")
    item: Any = {**key, "version": {"N": "1"}, "tickers": {"S": "AAPL"}}
    client.put_item(TableName=TABLE, Item=item)
    try:
        yield
    finally:
        client.delete_item(TableName=TABLE, Key=key)


def _keys_of(target: Target, info: dict[str, Any]) -> Key:
    """The key of the record that a message from the queue leads to."""
    client = target.session.client("dynamodbstreams")
    iterator = client.get_shard_iterator(
        StreamArn=info["streamArn"],
        ShardId=info["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=info["startSequenceNumber"],
    )["ShardIterator"]
    record: Any = client.get_records(ShardIterator=iterator, Limit=1)["Records"][0]
    keys: Key = record["dynamodb"]["Keys"]
    return keys


@pytest.fixture
def poisoned(target: Target, user: dict[str, str]) -> Iterator[Key]:
    key = _key(user, str(uuid.uuid4()))
    with _poison(target, key):
        yield key


def test_a_poisoned_record_ends_in_the_queue_and_holds_nobody_up(
    api: httpx.Client, target: Target, user: dict[str, str], poisoned: Key
) -> None:
    behind = api.post(CONFIGURATIONS, headers=user, json={"name": "Behind", "tickers": ["AAPL"]})
    assert behind.status_code == 201
    client = target.session.client("sqs")
    url = client.get_queue_url(QueueName=FAILURES)["QueueUrl"]

    def told() -> dict[str, Any] | None:
        answer = client.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            found: dict[str, Any] = json.loads(message["Body"])
            if _keys_of(target, found["DDBStreamBatchInfo"]) == poisoned:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return found
        return None

    failure = _eventually(told, "the record's place is in the queue")
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert failure["requestContext"]["approximateInvokeCount"] >= 3
    assert failure["DDBStreamBatchInfo"]["batchSize"] == 1
    key = _key(user, behind.json()["id"])
    _eventually(lambda: _analysis(target, key), "what is behind it was analysed")

"""The function on moto: the dashboard's bucket with tickers in it, and the table of analyses."""

import gzip
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from analysis import store

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

TICKERS = [
    {"symbol": "AAPL", "name": "Apple Inc.", "exchange": "NASDAQ"},
    {"symbol": "MSFT", "name": "Microsoft Corporation", "exchange": "NASDAQ"},
    {"symbol": "BA", "name": "The Boeing Company", "exchange": "NYSE"},
    {"symbol": "^GSPC", "name": "S&P 500"},
]
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "ANALYSES_TABLE": "analyses",
    "TICKERS_BUCKET": "tickers",
}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator["DynamoDBClient"]:
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        store._dynamodb.cache_clear()
        store._s3.cache_clear()
        body = gzip.compress(json.dumps({"tickers": TICKERS}).encode())
        boto3.client("s3").create_bucket(Bucket="tickers")
        boto3.client("s3").put_object(Bucket="tickers", Key="tickers.json.gz", Body=body)
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="analyses",
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
        yield client

"""Where analyses come from and go to: the ticker object in S3, and a table of results.

A result has the key of its configuration. It is written under the condition that it is not older than the
one that is there, so that a batch that comes again, whole or in part, changes nothing.
"""

import gzip
import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from analysis.composition import Composition, Written

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

_NOT_OLDER = "attribute_not_exists(#version) OR #version <= :version"


@cache
def _dynamodb() -> "DynamoDBClient":
    return boto3.client("dynamodb")


@cache
def _s3() -> "S3Client":
    return boto3.client("s3")


def exchanges() -> dict[str, str | None]:
    """The exchange of every ticker, as the object is now; once per batch is often enough to read it."""
    answer = _s3().get_object(
        Bucket=os.environ["TICKERS_BUCKET"], Key=os.environ.get("TICKERS_KEY", "tickers.json.gz")
    )
    document = json.loads(gzip.decompress(answer["Body"].read()))
    return {entry["symbol"].upper(): entry.get("exchange") for entry in document["tickers"]}


def put(write: Written, composition: Composition) -> bool:
    """Stores an analysis; returns False when a newer one is there."""
    item: dict[str, Any] = {
        **_key(write),
        "version": {"N": str(write.version)},
        "exchanges": {"M": {name: {"N": str(count)} for name, count in composition.exchanges.items()}},
        "unknown": {"L": [{"S": ticker} for ticker in composition.unknown]},
        "concentration": {"N": str(composition.concentration)},
    }
    return _changed(write, "put_item", Item=item)


def delete(write: Written) -> bool:
    """Takes an analysis away; returns False when a newer one is there."""
    return _changed(write, "delete_item", Key=_key(write))


def _changed(write: Written, operation: str, **what: object) -> bool:
    try:
        getattr(_dynamodb(), operation)(
            TableName=os.environ["ANALYSES_TABLE"],
            ConditionExpression=_NOT_OLDER,
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":version": {"N": str(write.version)}},
            **what,
        )
    except _dynamodb().exceptions.ConditionalCheckFailedException:
        return False
    return True


def _key(write: Written) -> dict[str, Any]:
    return {"pk": {"S": write.user_key}, "sk": {"S": write.sort_key}}

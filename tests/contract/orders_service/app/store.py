"""Orders in DynamoDB, receipts in S3."""

import os
from typing import Any

import boto3

TABLE = os.environ["ORDERS_TABLE"]
RECEIPTS = os.getenv("RECEIPTS_BUCKET", "")


class Orders:
    """The orders."""

    def __init__(self) -> None:
        self.table = boto3.resource("dynamodb").Table(TABLE)
        self.s3 = boto3.client("s3")

    def put(self, order_id: str) -> None:
        self.table.put_item(Item={"order_id": order_id, "state": "new"})
        self.s3.put_object(Bucket=RECEIPTS, Key=order_id, Body=b"receipt")

    def get(self, order_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.table.get_item(Key={"order_id": order_id}).get("Item")
        return found

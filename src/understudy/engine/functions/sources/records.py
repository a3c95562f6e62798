"""Messages and stream records as a function sees them, and as a filter does.

Pure. Shapes: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
and https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.engine.functions.sources import patterns
from understudy.engine.functions.sources.model import SourceMapping

Record = Mapping[str, Any]


def of_queue(mapping: SourceMapping, message: Record) -> dict[str, Any]:
    """The record of a message as ReceiveMessage gave it."""
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message.get("Body", ""),
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.source.text,
        "awsRegion": mapping.source.region,
    }
    if message.get("MD5OfMessageAttributes"):
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def of_stream(mapping: SourceMapping, record: Record) -> dict[str, Any]:
    """The record of a stream as GetRecords gave it; binary values are base64 in both."""
    made: dict[str, Any] = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record.get("eventVersion", "1.1"),
        "eventSource": "aws:dynamodb",
        "awsRegion": record.get("awsRegion") or mapping.source.region,
        "dynamodb": dict(record["dynamodb"]),
        "eventSourceARN": mapping.source.text,
    }
    identity = record.get("userIdentity")
    if identity:
        # Deletions by time to live: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
        made["userIdentity"] = {
            "type": identity.get("Type") or identity.get("type"),
            "principalId": identity.get("PrincipalId") or identity.get("principalId"),
        }
    return made


def passing(mapping: SourceMapping, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that the mapping's filter criteria let through."""
    wanted = [json.loads(text) for text in mapping.settings.patterns]
    return [record for record in records if patterns.passes(wanted, _filtered(mapping, record))]


def _filtered(mapping: SourceMapping, record: dict[str, Any]) -> Record:
    """What a pattern is held against: a message's body as JSON where it is an object."""
    if not mapping.is_queue:
        return record
    try:
        body = json.loads(record["body"])
    except (ValueError, RecursionError):
        return record
    return {**record, "body": body} if isinstance(body, dict) else record


def sequence(record: Record) -> str:
    """The sequence number of a stream's record."""
    return str(record["dynamodb"]["SequenceNumber"])


def created_at(record: Record) -> float | None:
    """When a stream's record came to be, in seconds since the epoch; None when it does not say."""
    found = record["dynamodb"].get("ApproximateCreationDateTime")
    return None if found is None else float(found)


def _attribute(value: Record) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = value["BinaryValue"]
    return {**made, "stringListValues": [], "binaryListValues": [], "dataType": value.get("DataType", "")}

"""The record of a stream's batch that was given up on.

Pure. Shape and object key:
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html#dynamodb-on-failure-destination-example-sqs
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from understudy.engine import identifiers
from understudy.engine.functions.calls import Place
from understudy.engine.functions.deliveries import Delivery
from understudy.engine.functions.sources import records
from understudy.engine.functions.sources.batches import BatchResult
from understudy.engine.functions.sources.model import SourceMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Records that were given up on.

    Attributes:
        condition: ``RetryAttemptsExhausted`` or ``RecordAgeExceeded``.
        attempts: how often the function ran with them.
        result: of the last attempt; None when there was none.
    """

    shard_id: str
    records: Sequence[dict[str, Any]]
    condition: str
    attempts: int
    result: BatchResult | None


def delivery(mapping: SourceMapping, failure: Failure, now: float) -> Delivery | None:
    """What goes to the mapping's on-failure destination; None when it has none.

    Args:
        mapping: whose records.
        failure: which, and why.
        now: seconds since the epoch.
    """
    to = mapping.settings.on_failure
    if to is None:
        return None
    moment = datetime.fromtimestamp(now, UTC)
    record = _record(mapping, failure, moment)
    if to.startswith("arn:aws:s3:"):
        # Only a bucket is given the records themselves.
        record["payload"] = json.dumps({"Records": failure.records}, separators=(",", ":"))
    name = f"{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    return Delivery(
        to=to,
        text=json.dumps(record),
        place=Place(account_id=mapping.function.account_id, region=mapping.function.region),
        key=f"aws/lambda/{mapping.uuid}/{failure.shard_id}/{name}",
    )


def _record(mapping: SourceMapping, failure: Failure, moment: datetime) -> dict[str, Any]:
    result, first, last = failure.result, failure.records[0], failure.records[-1]
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": result.request_id if result else identifiers.request_id(),
            "functionArn": mapping.target.arn,
            "condition": failure.condition,
            "approximateInvokeCount": failure.attempts,
        }
    }
    if result and result.answer:
        record["responseContext"] = {
            "statusCode": result.answer.status,
            "executedVersion": result.answer.executed_version,
            "functionError": result.answer.function_error,
        }
    return {
        **record,
        "version": "1.0",
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "DDBStreamBatchInfo": {
            "shardId": failure.shard_id,
            "startSequenceNumber": records.sequence(first),
            "endSequenceNumber": records.sequence(last),
            "approximateArrivalOfFirstRecord": _moment(first, moment),
            "approximateArrivalOfLastRecord": _moment(last, moment),
            "batchSize": len(failure.records),
            "streamArn": mapping.source.text,
        },
    }


def _moment(record: dict[str, Any], otherwise: datetime) -> str:
    created = records.created_at(record)
    moment = otherwise if created is None else datetime.fromtimestamp(created, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

"""Ready-made mappings for the tests of event sources."""

from typing import Any

from understudy.engine.functions import arns
from understudy.engine.functions.model import FunctionId
from understudy.engine.functions.sources.model import SourceMapping, SourceSettings

QUEUE = "arn:aws:sqs:us-east-1:000000000000:work"
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"


def mapping(source: str = STREAM, **settings: Any) -> SourceMapping:
    queue = source == QUEUE
    return SourceMapping(
        uuid="0a0a0a0a-1111-2222-3333-444444444444",
        source=arns.parse(source),
        function=FunctionId(account_id="000000000000", region="us-east-1", name="dash"),
        qualifier=None,
        settings=SourceSettings(**{"batch_size": 10 if queue else 100, **settings}),
        position=None if queue else "TRIM_HORIZON",
        state="Creating",
        modified_at=1_700_000_000.0,
        result=None if queue else "No records processed",
    )


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A stream's record as GetRecords gives it; its sequence number is `number`."""
    data = {
        "ApproximateCreationDateTime": 1_700_000_000.0 + number,
        "Keys": {"id": {"S": f"item-{number}"}},
        "SequenceNumber": str(number),
    }
    return {"eventID": f"e{number}", "eventName": "INSERT", "dynamodb": {**data, **changes}}

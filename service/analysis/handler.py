"""The function's entry point: one batch of the stream of the dashboard's table.

Records are taken in their order. The first that fails ends the batch, and the answer names it: Lambda tries
again from there, splits the batch to find the record that is bad, and in the end sends its place to a queue.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from analysis import store
from analysis.composition import PREFIX, UnreadableError, compose, tickers, written

_log = logging.getLogger("analysis")
_log.setLevel(logging.INFO)

Record = Mapping[str, Any]


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Analyses the configurations that a batch is about; names the first record that it failed on."""
    records = [record for record in event.get("Records", ()) if _is_configuration(record)]
    exchanges = store.exchanges() if records else {}
    for record in records:
        try:
            _analyse(record, exchanges)
        except (UnreadableError, BotoCoreError, ClientError) as error:
            sequence = record["dynamodb"]["SequenceNumber"]
            _log.warning(json.dumps({"message": "record failed", "record": sequence, "error": str(error)}))
            return {"batchItemFailures": [{"itemIdentifier": sequence}]}
    return {"batchItemFailures": []}


def _is_configuration(record: Record) -> bool:
    return str(record["dynamodb"]["Keys"]["sk"]["S"]).startswith(PREFIX)


def _analyse(record: Record, exchanges: Mapping[str, str | None]) -> None:
    if record["eventName"] == "REMOVE":
        write = written(record["dynamodb"]["OldImage"])
        done = store.delete(write)
    else:
        item = record["dynamodb"]["NewImage"]
        write = written(item)
        done = store.put(write, compose(tickers(item), exchanges))
    _log.info(
        json.dumps(
            {
                "message": "analysed" if done else "left to a newer write",
                "configuration": write.sort_key.removeprefix(PREFIX),
                "event": record["eventName"],
            }
        )
    )

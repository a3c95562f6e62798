"""Event source mappings as the answers of Lambda's API.

Pure. Which members a queue's mapping has and a stream's has not follows the answers that LocalStack's test
suite recorded on AWS (tests/aws/services/lambda_/event_source_mapping/*.snapshot.json).
"""

from datetime import UTC, datetime
from typing import Any

from understudy.engine.functions import names
from understudy.engine.functions.sources.model import SourceMapping


def mapping(item: SourceMapping) -> dict[str, Any]:
    """An EventSourceMappingConfiguration."""
    settings = item.settings
    answer: dict[str, Any] = {
        "UUID": item.uuid,
        "EventSourceMappingArn": item.arn,
        "EventSourceArn": item.source.text,
        "FunctionArn": names.arn(item.function, item.qualifier),
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.window_s,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if settings.report_failures else [],
        "LastModified": datetime.fromtimestamp(item.modified_at, UTC),
        "State": item.state,
        "StateTransitionReason": "USER_INITIATED" if item.is_queue else "User action",
    }
    if settings.patterns:
        answer["FilterCriteria"] = {"Filters": [{"Pattern": text} for text in settings.patterns]}
    if settings.maximum_concurrency is not None:
        answer["ScalingConfig"] = {"MaximumConcurrency": settings.maximum_concurrency}
    return answer if item.is_queue else {**answer, **_of_stream(item)}


def _of_stream(item: SourceMapping) -> dict[str, Any]:
    settings = item.settings
    return {
        "StartingPosition": item.position,
        "LastProcessingResult": item.result,
        "BisectBatchOnFunctionError": settings.bisect,
        "DestinationConfig": {
            "OnFailure": {"Destination": settings.on_failure} if settings.on_failure else {}
        },
        "MaximumRecordAgeInSeconds": settings.maximum_age_s,
        "MaximumRetryAttempts": settings.maximum_retries,
        "ParallelizationFactor": settings.parallelization,
        "TumblingWindowInSeconds": 0,
    }

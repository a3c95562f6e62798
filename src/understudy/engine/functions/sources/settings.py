"""From the members of Create- and UpdateEventSourceMapping to settings, checked as Lambda checks.

Pure. Sources other than queues and DynamoDB streams, and what would change how records are delivered and is
not done here (tumbling windows, provisioned pollers, encrypted filters), are refused by name.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import arns, errors
from understudy.engine.functions.arns import Arn
from understudy.engine.functions.sources import patterns
from understudy.engine.functions.sources.model import UNLIMITED, SourceSettings

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html; what has one range in
# botocore's model is checked before it comes here.
_YOUNGEST_S = 60
_MOST_CONCURRENT = 1000
_PATTERNS = 5
_QUEUE_AT_ONCE = 10
_QUEUE_BATCH = 10
_STREAM_BATCH = 100
_POSITIONS = ("TRIM_HORIZON", "LATEST")
_FAILURES_TO = ("sqs", "sns", "s3")

_ABSENT = (
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "KMSKeyArn",
    "LoggingConfig",
    "MetricsConfig",
    "ProvisionedPollerConfig",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPositionTimestamp",
    "Topics",
    "TumblingWindowInSeconds",
)
_OF_STREAMS = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
)


def source(params: Mapping[str, Any]) -> Arn:
    """The queue or stream that a new mapping reads.

    Raises:
        ApiError: there is none, or it is no queue and no stream of a table.
    """
    text = params.get("EventSourceArn")
    if not text:
        raise errors.invalid_parameter("Unrecognized event source.")
    arn = arns.parse(text)
    stream = arn.service == "dynamodb" and "/stream/" in arn.resource
    if arn.service == "dynamodb" and not stream:
        raise errors.invalid_parameter("Unrecognized event source, must be kinesis, dynamodb stream or sqs.")
    if not stream and arn.service != "sqs":
        raise errors.not_here(f"event sources of {arn.service}: it reads SQS queues and DynamoDB streams")
    return arn


def position(params: Mapping[str, Any], arn: Arn) -> str | None:
    """Where a new mapping begins to read; None for a queue.

    Raises:
        ApiError: a stream without one, or with one that it does not have.
    """
    wanted = params.get("StartingPosition")
    if arn.service == "sqs":
        return None
    if not wanted:
        raise errors.invalid_parameter(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if wanted == "AT_TIMESTAMP":
        raise errors.invalid_parameter(f"Unsupported starting position for arn type: {arn.text}")
    if wanted not in _POSITIONS:
        raise errors.validation(
            "startingPosition",
            wanted,
            "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
        )
    return str(wanted)


def created(params: Mapping[str, Any], arn: Arn) -> SourceSettings:
    """The settings of a new mapping.

    Raises:
        ApiError: a member is out of range, belongs to another kind of source or is not supported.
    """
    batch_size = _QUEUE_BATCH if arn.service == "sqs" else _STREAM_BATCH
    return updated(SourceSettings(batch_size=batch_size), params, arn)


def updated(settings: SourceSettings, params: Mapping[str, Any], arn: Arn) -> SourceSettings:
    """`settings` with the members of `params` applied.

    Raises:
        ApiError: a member is out of range, belongs to another kind of source or is not supported.
    """
    _refuse(params, arn)
    changes: dict[str, Any] = {}
    for member, field in _PLAIN.items():
        if params.get(member) is not None:
            changes[field] = params[member]
    if params.get("FilterCriteria") is not None:
        changes["patterns"] = _patterns(params["FilterCriteria"])
    if params.get("FunctionResponseTypes") is not None:
        changes["report_failures"] = "ReportBatchItemFailures" in params["FunctionResponseTypes"]
    if params.get("DestinationConfig") is not None:
        changes["on_failure"] = _on_failure(params["DestinationConfig"])
    if params.get("ScalingConfig") is not None:
        changes["maximum_concurrency"] = _concurrency(params["ScalingConfig"])
    made = replace(settings, **changes)
    if made.maximum_age_s != UNLIMITED and made.maximum_age_s < _YOUNGEST_S:
        raise errors.invalid_parameter(
            f"Maximum record age in seconds must be {UNLIMITED} or at least {_YOUNGEST_S}"
        )
    if arn.service == "sqs":
        _check_queue(made, arn)
    return made


_PLAIN = {
    "BatchSize": "batch_size",
    "BisectBatchOnFunctionError": "bisect",
    "Enabled": "enabled",
    "MaximumBatchingWindowInSeconds": "window_s",
    "MaximumRecordAgeInSeconds": "maximum_age_s",
    "MaximumRetryAttempts": "maximum_retries",
    "ParallelizationFactor": "parallelization",
}


def _refuse(params: Mapping[str, Any], arn: Arn) -> None:
    for member in _ABSENT:
        if params.get(member):
            raise errors.not_here(f"{member} of an event source mapping; leave it out")
    others = _OF_STREAMS if arn.service == "sqs" else ("ScalingConfig",)
    for member in others:
        if params.get(member) and params[member] != {"OnFailure": {"Destination": ""}}:
            raise errors.invalid_parameter(
                f"Unsupported {member} parameter for given event source mapping type."
            )


def _check_queue(settings: SourceSettings, arn: Arn) -> None:
    fifo = arn.resource.endswith(".fifo")
    if fifo and settings.window_s:
        raise errors.invalid_parameter("Batching window is not supported for FIFO queues")
    if fifo and settings.batch_size > _QUEUE_AT_ONCE:
        raise errors.invalid_parameter("Batch size must be less than or equal to 10 for FIFO queues")
    if settings.batch_size > _QUEUE_AT_ONCE and not settings.window_s:
        raise errors.invalid_parameter(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


def _patterns(criteria: Mapping[str, Any]) -> tuple[str, ...]:
    found = tuple(patterns.check(each.get("Pattern")) for each in criteria.get("Filters") or ())
    if len(found) > _PATTERNS:
        raise errors.invalid_parameter(f"Filter criteria exceed the limit of {_PATTERNS} filters.")
    return found


def _on_failure(config: Mapping[str, Any]) -> str | None:
    if config.get("OnSuccess"):
        raise errors.invalid_parameter(
            "Unsupported DestinationConfig parameter for given event source mapping type."
        )
    text = (config.get("OnFailure") or {}).get("Destination")
    if not text:
        return None
    if arns.parse(text).service not in _FAILURES_TO:
        raise errors.invalid_parameter(f"The destination ARN {text} is invalid.")
    return str(text)


def _concurrency(config: Mapping[str, Any]) -> int | None:
    asked: int | None = config.get("MaximumConcurrency")
    if asked is not None and asked > _MOST_CONCURRENT:
        raise errors.validation(
            "scalingConfig.maximumConcurrency",
            asked,
            f"Member must have value less than or equal to {_MOST_CONCURRENT}",
        )
    return asked

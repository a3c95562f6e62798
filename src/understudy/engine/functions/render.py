"""Records as the answers of Lambda's API.

Pure. Which members are left out, and when, follows the answers that LocalStack recorded on AWS.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from understudy.engine.functions import names
from understudy.engine.functions.model import LATEST, Alias, EventInvokeConfig, Function, Settings, Version

_Item = TypeVar("_Item")


def configuration(function: Function, version: Version, *, qualifier: str | None = None) -> dict[str, Any]:
    """A FunctionConfiguration of `version`; `qualifier` is what the ARN ends with."""
    settings = version.settings
    answer: dict[str, Any] = {
        "FunctionName": function.id.name,
        "FunctionArn": names.arn(function.id, qualifier),
        "Role": settings.role,
        "CodeSize": 0,
        "Description": settings.description,
        "Timeout": settings.timeout_s,
        "MemorySize": settings.memory_mb,
        "LastModified": version.last_modified,
        "CodeSha256": version.code.sha256,
        "Version": version.number,
        "TracingConfig": {"Mode": settings.tracing_mode},
        "RevisionId": version.revision_id,
        "PackageType": "Image",
        "Architectures": [version.code.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": _logging(settings),
        **_optional(settings),
        **_status(version),
    }
    return answer


def listed(function: Function, version: Version, *, qualifier: str | None = None) -> dict[str, Any]:
    """A FunctionConfiguration as the list operations give it: without any state."""
    answer = configuration(function, version, qualifier=qualifier)
    for member in list(answer):
        if member.startswith(("State", "LastUpdateStatus")):
            del answer[member]
    return answer


def code_location(version: Version) -> dict[str, str]:
    """The `Code` of GetFunction."""
    return {
        "RepositoryType": "ECR",
        "ImageUri": version.code.image_uri,
        "ResolvedImageUri": version.code.resolved_uri,
    }


def alias(function: Function, item: Alias) -> dict[str, Any]:
    """An AliasConfiguration."""
    answer: dict[str, Any] = {
        "AliasArn": names.arn(function.id, item.name),
        "Name": item.name,
        "FunctionVersion": item.version,
        "Description": item.description,
        "RevisionId": item.revision_id,
    }
    if item.weights:
        answer["RoutingConfig"] = {"AdditionalVersionWeights": dict(item.weights)}
    return answer


def event_config(function: Function, item: EventInvokeConfig, last_modified: datetime) -> dict[str, Any]:
    """A FunctionEventInvokeConfig."""
    answer: dict[str, Any] = {
        "LastModified": last_modified,
        "FunctionArn": names.arn(function.id, item.qualifier),
        "DestinationConfig": {
            "OnSuccess": {"Destination": item.on_success} if item.on_success else {},
            "OnFailure": {"Destination": item.on_failure} if item.on_failure else {},
        },
    }
    if item.maximum_retries is not None:
        answer["MaximumRetryAttempts"] = item.maximum_retries
    if item.maximum_age_s is not None:
        answer["MaximumEventAgeInSeconds"] = item.maximum_age_s
    return answer


def page(
    items: Sequence[_Item], keys: Sequence[str], marker: str | None, limit: int | None, most: int
) -> tuple[list[_Item], str | None]:
    """One page of `items` and the marker of the next, None on the last.

    Args:
        items: everything, in order.
        keys: what identifies each item in a marker.
        marker: the key to start from, as a previous page gave it.
        limit: what the caller asked for.
        most: the operation's own maximum.
    """
    start = keys.index(marker) if marker in keys else 0
    end = start + min(limit or most, most)
    following = keys[end] if end < len(keys) else None
    return list(items[start:end]), following


def versions(function: Function) -> list[Version]:
    """`$LATEST` and then every published version, oldest first."""
    published = [version for number, version in function.versions.items() if number != LATEST]
    return [function.latest, *sorted(published, key=lambda version: int(version.number))]


def _logging(settings: Settings) -> dict[str, str]:
    logging = settings.logging
    answer = {"LogFormat": logging.log_format, "LogGroup": logging.group}
    if logging.application_level:
        answer["ApplicationLogLevel"] = logging.application_level
    if logging.system_level:
        answer["SystemLogLevel"] = logging.system_level
    return answer


def _optional(settings: Settings) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if settings.environment is not None:
        answer["Environment"] = {"Variables": dict(settings.environment)}
    if settings.image is not None:
        answer["ImageConfigResponse"] = {"ImageConfig": _image_config(settings)}
    if settings.dead_letter_arn:
        answer["DeadLetterConfig"] = {"TargetArn": settings.dead_letter_arn}
    if settings.kms_key_arn:
        answer["KMSKeyArn"] = settings.kms_key_arn
    if settings.vpc:
        answer["VpcConfig"] = dict(settings.vpc)
    return answer


def _image_config(settings: Settings) -> dict[str, Any]:
    overrides = settings.image
    answer: dict[str, Any] = {}
    if overrides is not None and overrides.entry_point is not None:
        answer["EntryPoint"] = list(overrides.entry_point)
    if overrides is not None and overrides.command is not None:
        answer["Command"] = list(overrides.command)
    if overrides is not None and overrides.working_directory is not None:
        answer["WorkingDirectory"] = overrides.working_directory
    return answer


def _status(version: Version) -> Mapping[str, str]:
    answer = {
        "State": version.state,
        "StateReason": version.state_reason,
        "StateReasonCode": version.state_reason_code,
        "LastUpdateStatus": version.update_status,
        "LastUpdateStatusReason": version.update_reason,
        "LastUpdateStatusReasonCode": version.update_reason_code,
    }
    return {member: text for member, text in answer.items() if text is not None}

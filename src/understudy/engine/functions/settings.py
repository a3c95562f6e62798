"""From the members of CreateFunction and UpdateFunctionConfiguration to `Settings`, checked as Lambda checks.

Pure. Refuses what understudy cannot honour (layers, SnapStart, file systems) by name, and keeps what it
can only remember (VPC, KMS, tracing) exactly as given.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from understudy.engine.functions import errors
from understudy.engine.functions.model import ImageOverrides, Logging, Settings

MEMORY_MB = (128, 10_240)
TIMEOUT_S = (1, 900)
EPHEMERAL_MB = (512, 10_240)
ARCHITECTURES = ("x86_64", "arm64")
ENVIRONMENT_LIMIT_BYTES = 4096

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime environment
# variables"; AWS_LAMBDA_INITIALIZATION_TYPE from a recorded answer.
RESERVED_KEYS = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)

_ROLE = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_ROLE_PATTERN = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
_KEY = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
_KEY_PATTERN = r"[a-zA-Z]([a-zA-Z0-9_])+"

_BAD_VARIABLES = (
    "Lambda was unable to configure your environment variables because the environment variables you have "
    "provided"
)


def created(name: str, params: Mapping[str, Any]) -> Settings:
    """The settings of a new function.

    Raises:
        ApiError: a member is out of range, malformed or not supported.
    """
    base = Settings(role=params["Role"], logging=Logging(group=f"/aws/lambda/{name}"))
    return updated(name, base, params)


def updated(name: str, settings: Settings, params: Mapping[str, Any]) -> Settings:
    """`settings` with the members present in `params` applied.

    Raises:
        ApiError: a member is out of range, malformed or not supported.
    """
    _refuse(params)
    changes: dict[str, Any] = {}
    for member, (field, read) in _MEMBERS.items():
        if params.get(member) is not None:
            changes[field] = read(params[member])
    if params.get("LoggingConfig") is not None:
        changes["logging"] = _logging(name, settings.logging, params["LoggingConfig"])
    return replace(settings, **changes)


def architecture(params: Mapping[str, Any], default: str = "x86_64") -> str:
    """The one architecture asked for.

    Raises:
        ApiError: none, several or an unknown one.
    """
    asked = params.get("Architectures")
    if asked is None:
        return default
    shown = f"[{', '.join(asked)}]"
    if len(asked) != 1:
        raise errors.validation("architectures", shown, "Member must have length less than or equal to 1")
    if asked[0] not in ARCHITECTURES:
        raise errors.validation(
            "architectures",
            shown,
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
            "Member must not be null]",
        )
    return str(asked[0])


def check_image_package(params: Mapping[str, Any]) -> str:
    """The image URI of a CreateFunction call.

    Raises:
        ApiError: the call describes no image function.
    """
    code = params["Code"]
    package_type = params.get("PackageType", "Zip")
    if package_type not in ("Zip", "Image"):
        raise errors.validation(
            "packageType", package_type, "Member must satisfy enum value set: [Zip, Image]"
        )
    if package_type == "Zip":
        raise errors.not_here("Zip packages: it runs image functions only; set PackageType to Image")
    if params.get("Runtime") or params.get("Handler") or params.get("Layers"):
        raise errors.invalid_parameter(
            "Please don't provide handler or runtime or layer "
            "when the intended function PackageType is Image."
        )
    if params.get("CodeSigningConfigArn"):
        raise errors.invalid_parameter(
            "Code signing is not supported for functions created with container images."
        )
    uri = code.get("ImageUri")
    if not uri:
        raise errors.invalid_parameter(
            "Please provide ImageUri when creating a function with packageType Image."
        )
    return str(uri)


def _refuse(params: Mapping[str, Any]) -> None:
    if params.get("Layers"):
        raise errors.invalid_parameter(
            "Lambda layers are not supported for functions created with container images."
        )
    if params.get("Runtime") or params.get("Handler"):
        raise errors.invalid_parameter(
            "Runtime and Handler are not supported for functions created with container images."
        )
    if (params.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise errors.not_here("SnapStart; leave it out or set ApplyOn to None")
    if params.get("FileSystemConfigs"):
        raise errors.not_here("FileSystemConfigs: there is no EFS on this machine")
    for member in ("CapacityProviderConfig", "DurableConfig", "TenancyConfig"):
        if params.get(member):
            raise errors.not_here(member)


def _ranged(member: str, limits: tuple[int, int]) -> Callable[[int], int]:
    low, high = limits

    def read(value: int) -> int:
        if value < low:
            raise errors.validation(member, value, f"Member must have value greater than or equal to {low}")
        if value > high:
            raise errors.validation(member, value, f"Member must have value less than or equal to {high}")
        return value

    return read


def _ephemeral(value: Mapping[str, int]) -> int:
    return _ranged("ephemeralStorage.size", EPHEMERAL_MB)(value["Size"])


def _role(value: str) -> str:
    if _ROLE.fullmatch(value) is None:
        raise errors.validation(
            "role", value, f"Member must satisfy regular expression pattern: {_ROLE_PATTERN}"
        )
    return value


def _environment(value: Mapping[str, Any]) -> dict[str, str]:
    variables: dict[str, str] = dict(value.get("Variables") or {})
    bad = [key for key in variables if _KEY.fullmatch(key) is None and key not in RESERVED_KEYS]
    if bad:
        raise errors.validation(
            "environment.variables",
            "{" + ", ".join(f"{key}={text}" for key, text in variables.items()) + "}",
            "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
            f"{_KEY_PATTERN}, Member must not be null]",
        )
    reserved = [key for key in variables if key in RESERVED_KEYS]
    if reserved:
        raise errors.invalid_parameter(
            f"{_BAD_VARIABLES} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_LIMIT_BYTES:
        raise errors.invalid_parameter(
            f"{_BAD_VARIABLES} exceeded the 4KB limit. String measured: {measured}"
        )
    return variables


def _image(value: Mapping[str, Any]) -> ImageOverrides | None:
    entry_point, command = value.get("EntryPoint"), value.get("Command")
    overrides = ImageOverrides(
        entry_point=tuple(entry_point) if entry_point else None,
        command=tuple(command) if command else None,
        working_directory=value.get("WorkingDirectory") or None,
    )
    return None if overrides == ImageOverrides() else overrides


def _tracing(value: Mapping[str, Any]) -> str:
    mode = value.get("Mode", "PassThrough")
    if mode not in ("Active", "PassThrough"):
        raise errors.validation(
            "tracingConfig.mode", mode, "Member must satisfy enum value set: [Active, PassThrough]"
        )
    return str(mode)


def _vpc(value: Mapping[str, Any]) -> dict[str, Any] | None:
    return dict(value) if value.get("SubnetIds") else None


def _logging(name: str, current: Logging, value: Mapping[str, Any]) -> Logging:
    log_format = value.get("LogFormat", current.log_format)
    if log_format not in ("Text", "JSON"):
        raise errors.validation(
            "loggingConfig.logFormat", log_format, "Member must satisfy enum value set: [JSON, Text]"
        )
    group = value.get("LogGroup") or current.group or f"/aws/lambda/{name}"
    if log_format == "Text":
        return Logging(group=group)
    return Logging(
        group=group,
        log_format="JSON",
        application_level=value.get("ApplicationLogLevel") or current.application_level or "INFO",
        system_level=value.get("SystemLogLevel") or current.system_level or "INFO",
    )


def _same(value: str) -> str:
    return value


_MEMBERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "Role": ("role", _role),
    "Description": ("description", _same),
    "Timeout": ("timeout_s", _ranged("timeout", TIMEOUT_S)),
    "MemorySize": ("memory_mb", _ranged("memorySize", MEMORY_MB)),
    "EphemeralStorage": ("ephemeral_mb", _ephemeral),
    "Environment": ("environment", _environment),
    "ImageConfig": ("image", _image),
    "TracingConfig": ("tracing_mode", _tracing),
    "DeadLetterConfig": ("dead_letter_arn", lambda value: value.get("TargetArn") or None),
    "KMSKeyArn": ("kms_key_arn", lambda value: value or None),
    "VpcConfig": ("vpc", _vpc),
}

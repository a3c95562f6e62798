"""Whether AWS takes the function's configuration, and whether it gives the code what it needs at import.

Findings about limits that only a boot can measure come from `check_measured`.
"""

import json
import re
from collections.abc import Iterator

from understudy.verify.model import Finding, Launch, Place, Severity, Subject
from understudy.verify.python import analysis
from understudy.verify.rules import configuration_measured, configuration_rules, configuration_variables
from understudy.verify.rules.found import found

RULES = configuration_rules.RULES
Figures = configuration_measured.Figures
check_measured = configuration_measured.check_measured

ENVIRONMENT_LIMIT_BYTES = 4096
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime environment
# variables"; AWS_LAMBDA_INITIALIZATION_TYPE from a recorded answer.
RESERVED = frozenset(
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
# AWS's own base images set these two, to the values that Lambda gives them.
_OF_THE_BASE = frozenset({"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"})
_NAME = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
_PLACE = Place(path="Environment.Variables")
_LIMITS = (
    ("memorySize", "MemorySize", 128, 10_240),
    ("timeout", "Timeout", 1, 900),
    ("ephemeralStorage.size", "EphemeralStorage", 512, 10_240),
)
_SNAPSTART_LABEL = "com.amazonaws.lambda.feature.snapstart"


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what is wrong with the configuration of the function that runs `subject`."""
    launch = subject.launch
    yield from _size(launch)
    yield from _names(launch)
    yield from _overwritten(launch)
    yield from _limits(launch)
    yield from _snapstart(subject)
    yield from configuration_variables.check(subject)


def _size(launch: Launch) -> Iterator[Finding]:
    """The variables object as Lambda stores it: names, values, quotes, commas and brackets."""
    variables = dict(launch.function_env)
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if size <= ENVIRONMENT_LIMIT_BYTES:
        return
    longest = max(variables, key=lambda name: len(variables[name]))
    shown = ",".join(f'"{name}":"..."' for name in variables)
    yield found(
        configuration_rules.TOO_LARGE,
        places=[_PLACE],
        message=f"environment variables measure {size} bytes, expected {ENVIRONMENT_LIMIT_BYTES} at most; "
        f"{longest} has {len(variables[longest].encode())}",
        fix=f"move {longest} to Secrets Manager or SSM Parameter Store",
        aws_text=f"{configuration_rules.BAD_VARIABLES} exceeded the 4KB limit. String measured: {{{shown}}}",
    )


def _names(launch: Launch) -> Iterator[Finding]:
    reserved = [name for name in launch.function_env if name in RESERVED]
    if reserved:
        listed = ", ".join(reserved)
        yield found(
            configuration_rules.RESERVED,
            places=[*(Place(path=f"Environment.Variables.{name}") for name in reserved)],
            message=f"the function sets {listed}, which Lambda reserves",
            fix=f"remove {listed} from the function's environment variables",
            aws_text=f"{configuration_rules.BAD_VARIABLES} contains reserved keys that are currently not "
            f"supported for modification. Reserved keys used in this request: {listed}",
        )
    bad = [name for name in launch.function_env if name not in RESERVED and not _NAME.fullmatch(name)]
    if bad:
        shown = ", ".join(f"{name}=..." for name in launch.function_env)
        yield found(
            configuration_rules.NAME,
            places=[*(Place(path=f"Environment.Variables.{name}") for name in bad)],
            message=f"{', '.join(bad)}: no name of a variable for Lambda, expected {_NAME.pattern}",
            fix=f"rename {', '.join(bad)}",
            aws_text=configuration_rules.NAME.aws_text.replace("{1X=VALUE}", f"{{{shown}}}"),
        )


def _overwritten(launch: Launch) -> Iterator[Finding]:
    names = [name for name in launch.image_env if name in RESERVED - _OF_THE_BASE]
    if names:
        listed = ", ".join(names)
        yield found(
            configuration_rules.OVERWRITTEN,
            places=[*(Place(path=f"ENV {name}") for name in names)],
            message=f"ENV {listed} of the image does not reach the function",
            fix=f"remove ENV {listed} from the Dockerfile",
        )


def _limits(launch: Launch) -> Iterator[Finding]:
    values = (launch.memory_mb, launch.timeout_s, launch.ephemeral_mb)
    for (member, path, least, most), value in zip(_LIMITS, values, strict=True):
        if least <= value <= most:
            continue
        word, bound = ("greater", least) if value < least else ("less", most)
        yield found(
            configuration_rules.LIMIT,
            places=[Place(path=path)],
            message=f"{path} is {value:g}, expected {least} to {most}",
            fix=f"set {member} to {bound}",
            aws_text=f"ValidationException: 1 validation error detected: Value '{value:g}' at '{member}' "
            f"failed to satisfy constraint: Member must have value {word} than or equal to {bound}",
        )


def _snapstart(subject: Subject) -> Iterator[Finding]:
    launch = subject.launch
    known = analysis.of(subject)
    if known is None:
        return
    python = known.python
    reasons = []
    own = python.is_aws_base and python.version >= (3, 12)
    if not own and subject.image.config.labels.get(_SNAPSTART_LABEL) != "Allow":
        reasons.append(f"the base is not AWS's for Python 3.12 or later and has no label {_SNAPSTART_LABEL}")
    if launch.ephemeral_mb > 512:
        reasons.append(f"ephemeral storage is {launch.ephemeral_mb} MB, expected 512")
    place = Place(path="SnapStart")
    if not reasons:
        if not launch.snap_start:
            yield found(
                configuration_rules.ELIGIBLE,
                places=[place],
                message="the image qualifies for SnapStart, which is off",
            )
        return
    small = launch.ephemeral_mb > 512 and len(reasons) == 1
    yield found(
        configuration_rules.SNAPSTART,
        places=[place],
        message="SnapStart would be refused: " + "; ".join(reasons),
        fix="set ephemeralStorage.size to 512" if small else "",
        severity=None if launch.snap_start else Severity.INFO,
    )

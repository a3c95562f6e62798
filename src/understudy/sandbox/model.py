"""What one Lambda execution environment is given and answers; limits, verdicts, environment variables.

Pure: no clock, no process, no file. Numbers and texts are AWS's, each with its source.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.image.rootfs import Rootfs
    from understudy.sandbox.response_stream import ResponseStream

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; the payload limit as AWS words it
# in its own error text is 6 MB + 100 bytes (LocalStack's snapshot of AWS, 2025-11).
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
# 20 MB until July 2025: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
MAX_STREAMED_BYTES = 200 * 1024 * 1024
LOG_TAIL_BYTES = 4096
MAX_PROCESSES = 1024
SANDBOX_UID = 993
SANDBOX_GID = 990
SANDBOX_USER = "sbx_user1051"
PASSWD_LINE = f"{SANDBOX_USER}:x:{SANDBOX_UID}:{SANDBOX_GID}::/home/{SANDBOX_USER}:/sbin/nologin\n"
# Limits recorded on AWS (LocalStack's snapshot): 1,024 files, 64 KB locked, 8 MB stack, 10 GB core.
RLIMITS: Mapping[str, tuple[int, int]] = {
    "NOFILE": (1024, 1024),
    "MEMLOCK": (65536, 65536),
    "STACK": (8 * 1024 * 1024, -1),
    "CORE": (0, 10_737_418_240),
}
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-common.html
MEMORY_MB_PER_VCPU = 1769
_INIT_VCPUS = 2.0
_VISIBLE_VCPUS = ((3008, 2), (5307, 3), (7076, 4), (8845, 5))

CpuMode = Literal["lambda", "lambda-throttled-init", "host"]
Phase = Literal["init", "invoke"]
Network = Literal["host", "isolated"]
LogFormat = Literal["Text", "JSON"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A TCP service of the host that an isolated sandbox reaches under the same name.

    Attributes:
        host: a name, or a loopback address.
        port: there and here.
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """Everything that distinguishes one execution environment from another.

    Attributes:
        rootfs: the image's layers, extracted.
        entrypoint: effective ENTRYPOINT, unmodified.
        command: effective CMD, unmodified.
        working_dir: effective WORKDIR; empty means ``/``.
        environment: the final process environment, without AWS_LAMBDA_RUNTIME_API.
        memory_mb: memory limit; CPU follows from it.
        ephemeral_mb: size of ``/tmp``.
        timeout_s: function timeout, used when a request carries none.
        init_timeout_s: limit of the init phase before it is retried with the first request.
        function_name: for logs and headers.
        function_version: ``$LATEST`` or a number.
        cpu: ``lambda``: two vCPUs during init, then memory / 1,769 MB; ``lambda-throttled-init``: the latter
            from the start; ``host``: no limit.
        network: ``host`` shares the host's; ``isolated`` has the Runtime API and `reachable`, no route, and
            names that lead nowhere.
        reachable: services of the host that an isolated sandbox reaches.
        files: what to lay over the image's files, path to content.
        extensions: paths of the external extensions, which are started before the entry point.
        log_format: of the platform's own lines.
        system_level: least level of the platform's lines, in JSON.
        application_level: least level of the function's lines that have one, in JSON.
    """

    rootfs: Rootfs
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    working_dir: str
    environment: Mapping[str, str]
    memory_mb: int = 128
    ephemeral_mb: int = 512
    timeout_s: float = 3
    init_timeout_s: float = 10
    function_name: str = "function"
    function_version: str = "$LATEST"
    cpu: CpuMode = "lambda"
    network: Network = "host"
    reachable: tuple[Endpoint, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    log_format: LogFormat = "Text"
    system_level: str = "INFO"
    application_level: str = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """One request to a function.

    Attributes:
        request_id: AWS request id, in the START line and in every error text.
        payload: the event as received.
        timeout_s: function timeout; `None` takes the environment's.
        invoked_function_arn: with the qualifier the caller used.
        client_context: decoded JSON text of the caller's client context.
        cognito_identity: JSON text, for mobile callers.
        trace_id: X-Ray header value.
        tail: whether the caller wants the log tail and the memory used; without them the answer comes first
            and the REPORT line follows.
        stream: where a response goes that the runtime streams; without it, the response is collected.
    """

    request_id: str
    payload: bytes
    timeout_s: float | None = None
    invoked_function_arn: str = ""
    client_context: str | None = None
    cognito_identity: str | None = None
    trace_id: str = ""
    tail: bool = True
    stream: ResponseStream | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeResult:
    """What a request came to.

    Attributes:
        payload: the function's answer, or AWS's error document; empty when the answer went through a stream.
        function_error: ``Unhandled`` when the function failed.
        error_type: AWS's errorType when it failed.
        log_tail: last 4 KB of the log, up to and with REPORT; empty when the request did not want it.
        duration_ms: as REPORT says it.
        billed_ms: duration plus init, rounded up to one millisecond.
        max_memory_mb: highest resident memory of the environment's processes; 0 without `log_tail`.
        init_ms: only with the first request of an environment whose init phase succeeded.
        content_type: of a streamed answer, else JSON.
    """

    payload: bytes
    function_error: Literal["Unhandled", "Handled"] | None = None
    error_type: str | None = None
    log_tail: bytes = b""
    duration_ms: float = 0.0
    billed_ms: int = 0
    max_memory_mb: int = 0
    init_ms: float | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitStatus:
    """How a runtime process ended.

    Attributes:
        code: exit status; negative is the signal that killed it.
        failed: why the process could not be started: stage, errno, text; `None` when it ran.
        max_rss_bytes: highest resident memory of the process.
        oom_killed: whether the memory limit killed it.
    """

    code: int
    failed: LaunchFailure | None = None
    max_rss_bytes: int = 0
    oom_killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFailure:
    """Why a program could not be started.

    Attributes:
        stage: ``root``, ``namespaces``, ``cgroup``, ``limits``, ``user``, ``extension``, ``cwd`` or ``exec``.
        errno: of the failed call; 0 when it was none.
        text: of the failed call; the path of an extension.
    """

    stage: str
    errno: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """AWS's verdict on an invocation or an init phase.

    Attributes:
        error_type: ``Runtime.ExitError``, ``Sandbox.Timedout``, ...
        reason: text after ``RequestId: X Error: ``; empty when the type says it all.
        body: error document as the runtime posted it; then `reason` is not used.
        timed_out: whether REPORT and INIT_REPORT say ``Status: timeout``.
    """

    error_type: str
    reason: str = ""
    body: bytes | None = None
    timed_out: bool = False

    def payload(self, request_id: str) -> bytes:
        """The error document that the caller of Invoke receives."""
        if self.body is not None:
            return self.body
        message = f"RequestId: {request_id} Error: {self.reason}" if self.reason else self.error_type
        return json.dumps(
            {"errorType": self.error_type, "errorMessage": message}, separators=(",", ":")
        ).encode()


# Go's names, as AWS's supervisor prints them; https://go.dev/src/syscall/zerrors_linux_amd64.go
_SIGNALS = {
    1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap",
    6: "aborted", 7: "bus error", 8: "floating point exception", 9: "killed", 10: "user defined signal 1",
    11: "segmentation fault", 12: "user defined signal 2", 13: "broken pipe", 14: "alarm clock",
    15: "terminated",
}  # fmt: skip
_ERRNO_TEXTS = {2: "no such file or directory", 8: "exec format error", 13: "permission denied"}
# Verified for 3.13 and later; earlier managed runtimes say "signal: killed"
# (https://github.com/DataDog/datadog-lambda-extension/pull/776).
OUT_OF_MEMORY = "Runtime.OutOfMemory"


def timeout_fault(timeout_s: float) -> Fault:
    """The verdict on a request that outlived its timeout."""
    return Fault(
        error_type="Sandbox.Timedout", reason=f"Task timed out after {timeout_s:.2f} seconds", timed_out=True
    )


def too_large_fault(limit_bytes: int) -> Fault:
    """The verdict on an answer above the limit of its mode: 6 MB, or 200 MB when streamed."""
    message = f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes)."
    error_type = "Function.ResponseSizeTooLarge"
    body = json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()
    return Fault(error_type=error_type, body=body)


def truncated_fault() -> Fault:
    """The verdict on a streamed response whose connection broke: the runtime died, or hung up.

    AWS's supervisor calls it so (`rapid` of aws-lambda-runtime-interface-emulator), out of memory included.
    """
    return Fault(error_type="Runtime.TruncatedResponse", reason="Runtime hung up in the middle of a response")


def exit_fault(status: ExitStatus, spec: SandboxSpec) -> Fault:
    """The verdict on a runtime process that ended without an answer."""
    if status.failed is not None:
        return _launch_fault(status.failed, spec)
    if status.oom_killed:
        return Fault(error_type=OUT_OF_MEMORY, reason="Runtime exited with error: signal: killed")
    if status.code == 0:
        return Fault(error_type="Runtime.ExitError", reason="Runtime exited without providing a reason")
    if status.code < 0:
        name = _SIGNALS.get(-status.code, f"signal {-status.code}")
        return Fault(error_type="Runtime.ExitError", reason=f"Runtime exited with error: signal: {name}")
    return Fault(
        error_type="Runtime.ExitError", reason=f"Runtime exited with error: exit status {status.code}"
    )


def _launch_fault(failure: LaunchFailure, spec: SandboxSpec) -> Fault:
    if failure.stage == "extension":
        reason = f"fork/exec {failure.text}: {_ERRNO_TEXTS.get(failure.errno, 'failed')}"
        return Fault(error_type="Extension.LaunchError", reason=reason)
    text = _ERRNO_TEXTS.get(failure.errno, failure.text)
    if failure.stage == "cwd":
        return Fault(
            error_type="Runtime.InvalidWorkingDir", reason=f"chdir {spec.working_dir or '/'}: {text}"
        )
    argv = (*spec.entrypoint, *spec.command)
    if failure.stage == "exec" and argv:
        if "/" not in argv[0] and failure.text.endswith("not found on PATH"):
            # https://github.com/iwpnd/fastapi-aws-lambda-example/issues/7
            reason = f"Couldn't find valid bootstrap(s): [{argv[0]}]"
        else:
            reason = f"fork/exec {argv[0]}: {text}"
        return Fault(error_type="Runtime.InvalidEntrypoint", reason=reason)
    return Fault(error_type="Runtime.Unknown", reason=f"sandbox {failure.stage}: {failure.text}")


def no_entrypoint_fault() -> Fault:
    """The verdict on an image with neither ENTRYPOINT nor CMD."""
    return Fault(error_type="Runtime.InvalidEntrypoint", reason="Couldn't find valid bootstrap(s): []")


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """Duration and init together, rounded up to a millisecond.

    Init has always been billed for container images, and since August 2025 for all functions
    (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/); a recorded line:
    Duration 1248.31, Init Duration 293.05, Billed Duration 1542.
    """
    return max(1, math.ceil(round(duration_ms + (init_ms or 0.0), 2)))


def vcpus(memory_mb: int) -> float:
    """The share of CPU that Lambda gives a function with this much memory."""
    return memory_mb / MEMORY_MB_PER_VCPU


def cpu_limit(spec: SandboxSpec, *, initialising: bool) -> float | None:
    """The vCPUs in force now, `None` for all of the host's.

    During init about two vCPUs are seen on AWS whatever the memory
    (https://bitesizedserverless.com/bite/when-is-the-lambda-init-phase-free-and-when-is-it-billed/).
    """
    if spec.cpu == "host":
        return None
    share = vcpus(spec.memory_mb)
    return max(share, _INIT_VCPUS) if initialising and spec.cpu == "lambda" else share


def visible_vcpus(memory_mb: int) -> int:
    """How many vCPUs a function sees (https://github.com/rwnx/lambda-cpuinfo)."""
    return next((count for limit, count in _VISIBLE_VCPUS if memory_mb <= limit), 6)


# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html, "Differences between Lambda and
# extension environment variables".
_NOT_FOR_EXTENSIONS = frozenset(
    {
        *("_HANDLER", "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"),
        *("_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_X_AMZN_TRACE_ID"),
    }
)


def extension_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What an extension sees of the environment variables of the runtime."""
    return {name: value for name, value in environment.items() if name not in _NOT_FOR_EXTENSIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionEnvironment:
    """What `lambda_environment` merges.

    Attributes:
        image: ENV of the image, in order.
        function: the function's own variables; they win over the image's.
    """

    function_name: str
    function_version: str = "$LATEST"
    memory_mb: int = 128
    region: str = "us-east-1"
    log_group: str = ""
    log_stream: str = ""
    image: tuple[tuple[str, str], ...] = ()
    function: Mapping[str, str] = field(default_factory=dict)
    access_key_id: str = "test"
    secret_access_key: str = "test"  # noqa: S105 - the local engine accepts any key
    session_token: str = "test"  # noqa: S105 - as above
    working_dir: str = "/"


def lambda_environment(config: FunctionEnvironment) -> dict[str, str]:
    """The environment of the entry point, as AWS sets it for an image function.

    PATH, LD_LIBRARY_PATH, LANG and TZ are the image's business; AWS_EXECUTION_ENV is AWS_Lambda_Image until
    the base image's bootstrap exports its own (https://github.com/aws/aws-lambda-base-images/issues/15). HOME
    comes from the image or the function alone (https://github.com/aws/aws-lambda-base-images/issues/63).
    Lambda's own names are reserved, so they win over both sources.
    """
    merged = dict(config.image)
    merged.update(config.function)
    merged.setdefault("TZ", ":UTC")
    merged.setdefault("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin")
    merged |= {
        "AWS_ACCESS_KEY_ID": config.function.get("AWS_ACCESS_KEY_ID", config.access_key_id),
        "AWS_SECRET_ACCESS_KEY": config.function.get("AWS_SECRET_ACCESS_KEY", config.secret_access_key),
        "AWS_SESSION_TOKEN": config.function.get("AWS_SESSION_TOKEN", config.session_token),
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
        "AWS_LAMBDA_FUNCTION_NAME": config.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": config.function_version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": config.log_group or f"/aws/lambda/{config.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": config.log_stream,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "LAMBDA_TASK_ROOT": merged.get("LAMBDA_TASK_ROOT", "/var/task"),
        "LAMBDA_RUNTIME_DIR": merged.get("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        "PWD": config.working_dir or "/",
        "SHLVL": "0",
    }
    return merged

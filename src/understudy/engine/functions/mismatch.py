"""The execution environment of an image whose architecture is not the function's: it never starts.

AWS accepts such a function and fails each invocation with `Runtime.InvalidEntrypoint` and `exec format error`
(https://github.com/aws/aws-lambda-base-images/issues/26). A laptop with an emulator installed would run it,
and the fault would first be seen in preprod.
"""

from collections.abc import Callable

from understudy.sandbox import model
from understudy.sandbox.model import ExitStatus, InvokeRequest, InvokeResult, LaunchFailure, SandboxSpec
from understudy.sandbox.platform_log import PlatformLog
from understudy.sandbox.reports import InitReport, Report

_ENOEXEC = 8
_FAILED = ExitStatus(code=127, failed=LaunchFailure(stage="exec", errno=_ENOEXEC, text="Exec format error"))


class WrongArchitecture:
    """Answers every request as AWS answers it."""

    state = "idle"

    def __init__(self, spec: SandboxSpec, log: Callable[[bytes], None]) -> None:
        self._spec = spec
        self._log = log

    async def start(self) -> None:
        """Does nothing: there is no process to spawn."""

    async def ready(self) -> InitReport:
        """The verdict, as that of an init phase."""
        return InitReport(phase="init", duration_ms=0.0, fault=model.exit_fault(_FAILED, self._spec))

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """The verdict that the entry point is for another machine."""
        spec = self._spec
        fault = model.exit_fault(_FAILED, spec)
        billed_ms = model.billed_ms(0.0, None)
        report = Report(
            request_id=request.request_id,
            duration_ms=0.0,
            billed_ms=billed_ms,
            memory_mb=spec.memory_mb,
            max_memory_mb=0,
            fault=fault,
        )
        platform = PlatformLog(spec)
        launch_error = (
            f"IMAGE\tLaunch error: {fault.reason}\tEntrypoint: {_shown(spec.entrypoint)}"
            f"\tCmd: {_shown(spec.command)}\tWorkingDir: [{spec.working_dir}]\n"
        )
        lines = [
            launch_error.encode(),
            *platform.init_end("invoke", 0.0, fault),
            *platform.start(request.request_id),
            *platform.end(report),
        ]
        for line in lines:
            self._log(line)
        return InvokeResult(
            payload=fault.payload(request.request_id),
            function_error="Unhandled",
            error_type=fault.error_type,
            log_tail=b"".join(lines)[-model.LOG_TAIL_BYTES :],
            billed_ms=billed_ms,
        )

    async def shutdown(self) -> None:
        """Does nothing: nothing runs."""


def _shown(words: tuple[str, ...]) -> str:
    return f"[{','.join(words)}]"

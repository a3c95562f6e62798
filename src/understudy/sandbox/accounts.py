"""START, END and REPORT of an environment's requests, written when nobody waits for them.

A caller who wants the log tail or the memory used waits for REPORT; everyone else has the answer first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.sandbox import model, reports
from understudy.sandbox.model import Fault, InvokeResult
from understudy.sandbox.runtime_api import Answer

if TYPE_CHECKING:
    from understudy.sandbox.journal import Journal
    from understudy.sandbox.model import InvokeRequest, SandboxSpec
    from understudy.sandbox.platform_log import PlatformLog
    from understudy.sandbox.runtime_process import RuntimeProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """An invocation that is over and that the log does not know of yet."""

    request_id: str
    duration_ms: float
    init_ms: float | None
    fault: Fault | None


class Accounts:
    """What the log has to say of each request."""

    def __init__(
        self, spec: SandboxSpec, runtime: RuntimeProcess, journal: Journal, platform: PlatformLog
    ) -> None:
        self._spec = spec
        self._runtime = runtime
        self._journal = journal
        self._platform = platform
        self._unreported: _Ended | None = None

    def begin(self, request: InvokeRequest) -> None:
        """Writes START, behind the end of the request before."""
        self.settle()
        self._journal.write_all(self._platform.start(request.request_id))

    def end(
        self, request: InvokeRequest, outcome: Answer | Fault, duration_ms: float, init_ms: float | None
    ) -> InvokeResult:
        """Makes the result; who does not want the report's figures does not wait for the report."""
        fault = outcome if isinstance(outcome, Fault) else _verdict(outcome, request)
        self._unreported = _Ended(
            request_id=request.request_id, duration_ms=duration_ms, init_ms=init_ms, fault=fault
        )
        tail, memory_mb = b"", 0
        if request.tail or fault is not None:
            memory_mb, tail = self.settle()
        answer = outcome if isinstance(outcome, Answer) and fault is None else None
        error_type = fault.error_type if fault is not None else answer.error_type if answer else None
        return InvokeResult(
            payload=answer.body if answer is not None else _payload(fault, request),
            function_error="Unhandled" if error_type is not None else None,
            error_type=error_type,
            log_tail=tail,
            duration_ms=duration_ms,
            billed_ms=model.billed_ms(duration_ms, init_ms),
            max_memory_mb=memory_mb,
            init_ms=init_ms,
            content_type=answer.content_type if answer is not None else "application/json",
        )

    def settle(self) -> tuple[int, bytes]:
        """Writes END and REPORT of the request that ended, if need be; returns memory and tail."""
        ended, self._unreported = self._unreported, None
        if ended is None:
            return 0, b""
        if self._runtime.process is not None:
            self._runtime.process.drain()
        # A log record without a line feed belongs to the request that wrote it, not to the next one.
        self._journal.finish_line()
        memory_mb = self._runtime.max_memory_mb(ended.fault)
        report = reports.Report(
            request_id=ended.request_id,
            duration_ms=ended.duration_ms,
            billed_ms=model.billed_ms(ended.duration_ms, ended.init_ms),
            memory_mb=self._spec.memory_mb,
            max_memory_mb=memory_mb,
            init_ms=ended.init_ms,
            fault=ended.fault,
        )
        self._journal.write_all(self._platform.end(report))
        return memory_mb, self._journal.take_tail()


def _verdict(answer: Answer, request: InvokeRequest) -> Fault | None:
    if answer.truncated:
        return model.truncated_fault()
    if answer.too_large:
        streamed = answer.streaming and request.stream is not None
        return model.too_large_fault(model.MAX_STREAMED_BYTES if streamed else model.MAX_RESPONSE_BYTES)
    return None


def _payload(fault: Fault | None, request: InvokeRequest) -> bytes:
    return fault.payload(request.request_id) if fault is not None else b""

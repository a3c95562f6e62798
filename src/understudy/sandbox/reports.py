"""AWS's platform log lines, byte for byte, and the assembly of a function's output into lines.

Pure. The lines end with a newline, as the messages in CloudWatch Logs do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.sandbox.explain import ImportChain
    from understudy.sandbox.model import Fault, Phase

_LONGEST_LINE = 256 * 1024
"""CloudWatch Logs splits an event at 256 KB (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/)."""


def start_line(request_id: str, version: str) -> bytes:
    """The line that opens an invocation."""
    return f"START RequestId: {request_id} Version: {version}\n".encode()


def end_line(request_id: str) -> bytes:
    """The line that closes an invocation."""
    return f"END RequestId: {request_id}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of a REPORT line; `init_ms` belongs to the first invocation of an environment only."""

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    fault: Fault | None = None


def report_line(report: Report) -> bytes:
    """The REPORT line.

    Status and error type are part of it since 2025; timeouts and OOM kills are told nowhere else any more
    (https://github.com/DataBiosphere/azul/issues/8140).
    """
    parts = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {report.billed_ms} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {report.max_memory_mb} MB",
    ]
    if report.init_ms is not None:
        parts.append(f"Init Duration: {report.init_ms:.2f} ms")
    return ("\t".join([*parts, *_status(report.fault)]) + "\n").encode()


def init_report_line(duration_ms: float, phase: Phase, fault: Fault) -> bytes:
    """The line about a failed init phase; a successful one has none."""
    parts = [f"INIT_REPORT Init Duration: {duration_ms:.2f} ms", f"Phase: {phase}", *_status(fault)]
    return ("\t".join(parts) + "\n").encode()


def _status(fault: Fault | None) -> list[str]:
    if fault is None:
        return [""]
    if fault.timed_out:
        return ["Status: timeout"]
    return ["Status: error", f"Error Type: {fault.error_type}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitReport:
    """How an init attempt went.

    Attributes:
        phase: ``init``, or ``invoke`` when it was part of an invocation.
        duration_ms: from spawn to the first ``/next``, or to the failure.
        fault: `None` when the runtime is ready.
        import_chain: recovered chain of imports, when the handler could not be imported.
    """

    phase: Phase
    duration_ms: float
    fault: Fault | None = None
    import_chain: ImportChain | None = None


class LineAssembler:
    """Cuts a byte stream into lines.

    Only a line feed ends a line: the runtime client joins the lines of a traceback with carriage returns so
    that they stay one event. What follows the last line feed waits for more or for `flush`.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, each with its line feed."""
        whole = self._rest + data if self._rest else data
        lines = _split(whole)
        self._rest = b""
        if lines and not lines[-1].endswith(b"\n"):
            rest = lines.pop()
            while len(rest) > _LONGEST_LINE:
                lines.append(rest[:_LONGEST_LINE] + b"\n")
                rest = rest[_LONGEST_LINE:]
            self._rest = rest
        return lines

    def flush(self) -> list[bytes]:
        """The unfinished line, if any, when the stream has ended."""
        rest, self._rest = self._rest, b""
        return [rest + b"\n"] if rest else []


def _split(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines

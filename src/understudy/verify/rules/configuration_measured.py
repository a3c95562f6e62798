"""What the figures of a boot say about the function's limits.

Pure: takes numbers, starts nothing. Figures come from this machine, which is not AWS, so a limit that they
merely approach is no more than a warning; and where no function is known its limits are Lambda's defaults,
which say little about an image.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from understudy.verify.model import Finding, Launch, Place, Severity
from understudy.verify.rules import configuration_rules as rules
from understudy.verify.rules.found import found

INIT_LIMIT_MS = 10_000
_INIT_WARN_MS = 5_000
_TIGHT = 0.9
_TIMEOUT_TIGHT = 0.8
_STEP_MB = 64
_MEMORY_MAX_MB = 10_240
_TIMEOUT_MAX_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a boot measured.

    Attributes:
        peak_mb: most resident memory of the whole environment; `None` when it was not measured.
        init_ms: from the entry point's start to its first call for an event.
        first_request_ms: without init; `None` when none was sent.
        oom_killed: whether the memory limit ended the boot.
    """

    peak_mb: float | None
    init_ms: float | None
    first_request_ms: float | None = None
    oom_killed: bool = False


def check_measured(launch: Launch, figures: Figures) -> Iterator[Finding]:
    """Yields what `figures` say about the limits of `launch`."""
    usual = Launch(entrypoint=(), command=())
    chosen = bool(launch.function_name)
    knows_memory = chosen or launch.memory_mb != usual.memory_mb
    knows_timeout = chosen or launch.timeout_s != usual.timeout_s
    yield from _told(_memory(launch, figures), known=knows_memory)
    yield from _told(_timeout(launch, figures), known=knows_timeout)
    yield from _told(_init(launch, figures), known=knows_timeout)


def _told(findings: Iterable[Finding], *, known: bool) -> Iterator[Finding]:
    """Limits that nobody chose are information."""
    for finding in findings:
        if known or finding.rule == rules.INIT_LONG.id:
            yield finding
        else:
            yield replace(finding, severity=Severity.INFO)


def _memory(launch: Launch, figures: Figures) -> Iterator[Finding]:
    peak, size = figures.peak_mb, launch.memory_mb
    if peak is None:
        return
    place = Place(path="MemorySize")
    text = (
        f"REPORT RequestId: ID Memory Size: {size} MB Max Memory Used: {size} MB Status: error "
        "Error Type: Runtime.OutOfMemory"
    )
    wanted = min(
        _MEMORY_MAX_MB, math.ceil(max(peak, size if figures.oom_killed else 0) * 1.5 / _STEP_MB) * _STEP_MB
    )
    fix = f"set memorySize to {wanted}"
    if figures.oom_killed or peak > size:
        message = f"memory is {size} MB, the boot needed {peak:.0f} MB" + (
            " and was killed" * figures.oom_killed
        )
        yield found(rules.MEMORY, places=[place], message=message, fix=fix, aws_text=text)
    elif peak > size * _TIGHT:
        message = f"memory is {size} MB, the boot used {peak:.0f} MB of it"
        yield found(rules.MEMORY_TIGHT, places=[place], message=message, fix=fix, aws_text=text)


def _timeout(launch: Launch, figures: Figures) -> Iterator[Finding]:
    first_ms = figures.first_request_ms
    if first_ms is None or first_ms <= launch.timeout_s * 1000 * _TIMEOUT_TIGHT:
        return
    fails = first_ms > launch.timeout_s * 1000
    wanted = min(_TIMEOUT_MAX_S, math.ceil(first_ms * 3 / 1000))
    yield found(
        rules.TIMEOUT,
        places=[Place(path="Timeout")],
        message=f"timeout is {launch.timeout_s:g} s, the first request took {first_ms / 1000:.2f} s",
        fix=f"set timeout to {wanted}",
        aws_text="Sandbox.Timedout: RequestId: ID Error: "
        f"Task timed out after {launch.timeout_s:.2f} seconds",
        severity=None if fails else Severity.MAY_FAIL,
    )


def _init(launch: Launch, figures: Figures) -> Iterator[Finding]:
    init_ms = figures.init_ms
    if init_ms is None or init_ms <= _INIT_WARN_MS:
        return
    place = Place(path="init")
    if init_ms <= INIT_LIMIT_MS:
        message = f"init took {init_ms / 1000:.1f} s of 10 s"
        yield found(rules.INIT_LONG, places=[place], message=message)
        return
    outlived = init_ms > launch.timeout_s * 1000
    yield found(
        rules.INIT_TIMEOUT,
        places=[place],
        message=f"init took {init_ms / 1000:.1f} s, the limit is 10 s and the timeout {launch.timeout_s:g} s",
        fix=f"set timeout above {math.ceil(init_ms / 1000)}, or move work out of module level",
        severity=Severity.FAILS if outlived else None,
    )

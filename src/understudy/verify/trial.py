"""The boot of one verification: the image brought into the store, unpacked, started, and what that means.

Apart from `run`, because looking at files needs no sandbox, and a sandbox takes longer to load than to look.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.image.store import Store
from understudy.sandbox.model import Network
from understudy.verify import boot, intake
from understudy.verify.boot import BootReport, BootRequest, Event
from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.report import Boot
from understudy.verify.rules import configuration
from understudy.verify.sources import ImageSource

_OUTCOMES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a boot is given besides the image.

    Attributes:
        store: where its layers are unpacked.
        state: folder for mount points.
        events: the user's own; empty for synthetic ones.
        network: what it may reach.
        endpoint: of a local engine; empty for none.
        region: AWS_REGION.
    """

    store: Store
    state: Path
    events: tuple[Event, ...] = ()
    network: Network = "isolated"
    endpoint: str = ""
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it.

    Attributes:
        boot: what the boot showed; `None` when there was none.
        skipped: why there was none.
        findings: what it means.
    """

    boot: Boot | None = None
    skipped: str = ""
    findings: tuple[Finding, ...] = ()


def run(
    source: ImageSource, looked: Subject, conditions: Conditions, progress: Callable[[str], None]
) -> Trial:
    """Returns what a boot showed, or why there was none."""
    reason = intake.obstacle(source)
    if reason:
        return Trial(skipped=reason)
    try:
        root = rootfs.prepare(conditions.store, intake.bring(source, conditions.store, progress))
    except UnderstudyError as error:
        return Trial(skipped=f"its layers cannot be unpacked: {error.message}")
    progress("booting it in the sandbox")
    wanted = BootRequest(
        rootfs=root,
        launch=looked.launch,
        architecture=looked.architecture,
        network=conditions.network,
        endpoint=conditions.endpoint,
        events=conditions.events,
        region=conditions.region,
    )
    return judged(boot.run(wanted, state_dir=conditions.state), looked)


def judged(booted: BootReport, looked: Subject) -> Trial:
    """Returns a boot with what it means for the function that runs the image."""
    findings = tuple(boot.findings(booted, looked))
    if booted.skipped:
        return Trial(skipped=booted.skipped, findings=findings)
    findings += tuple(_measured(booted, looked))
    return Trial(boot=_facts(booted, findings), findings=findings)


def _measured(booted: BootReport, looked: Subject) -> Iterator[Finding]:
    """What the figures of a boot say about the function's limits."""
    figures = configuration.Figures(
        peak_mb=booted.peak_mb or None,
        init_ms=booted.init_ms,
        first_request_ms=booted.first_request_ms,
        oom_killed=booted.out_of_memory,
    )
    for finding in configuration.check_measured(looked.launch, figures):
        yield dataclasses.replace(finding, source="boot")


def _facts(booted: BootReport, findings: Iterable[Finding]) -> Boot:
    return Boot(
        passed=booted.started and not any(one.severity is Severity.FAILS for one in findings),
        init_ms=booted.init_ms,
        first_request_ms=booted.first_request_ms,
        second_request_ms=booted.second_request_ms,
        peak_memory_mb=round(booted.peak_mb, 1),
        constraints=tuple(f"{name}: {means}" for name, means in booted.constraints.items()),
        observations=tuple(_observations(booted)),
    )


def _observations(booted: BootReport) -> Iterator[tuple[str, str]]:
    for outcome in booted.outcomes[:_OUTCOMES]:
        status = f" {outcome.status_code}" if outcome.status_code else ""
        yield outcome.event.name, f"{outcome.verdict}{status}, {outcome.duration_ms:.1f} ms"
    if booted.names_at_init:
        yield "names looked up at init", ", ".join(booted.names_at_init[:_OUTCOMES])
    if booted.observations is not None and booted.observations.problem:
        yield "observer", booted.observations.problem

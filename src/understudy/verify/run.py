"""One verification from a reference to a report: open, look, boot, compare.

The composition and nothing else: rules judge, the boot observes, the report decides. Refuses to stop at the
first fault: files and boot are both asked, so that they can contradict each other.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.image.store import Store
from understudy.manifests import errors
from understudy.sandbox.model import Network
from understudy.verify import base, boot, catalogue, intake, sources, subject, version
from understudy.verify.boot import BootReport, BootRequest, Event
from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.report import Boot, Report, Seconds
from understudy.verify.rules import configuration
from understudy.verify.sources import ImageSource
from understudy.verify.subject import LaunchOverrides

Progress = Callable[[str], None]

_OUTCOMES = 6


def silent(_: str) -> None:
    """Shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to verify, and how.

    Attributes:
        reference: tag or digest of the store, layout, archive, ``docker://NAME``, or registry reference.
        name: what reports call it; the reference when empty.
        launch: what the function says.
        platform: which image of an index; the function's architecture when empty.
        static: whether there is no boot.
        allowed: rule -> reason.
        events: the user's own events instead of synthetic ones.
        network: ``isolated``, or ``host`` for the whole network of this machine.
        endpoint: URL of a local engine that the image may reach.
        region: AWS_REGION.
    """

    reference: str
    name: str = ""
    launch: LaunchOverrides = field(default_factory=LaunchOverrides)
    platform: str = ""
    static: bool = False
    allowed: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    network: Network = "isolated"
    endpoint: str = ""
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a verification keeps things.

    Attributes:
        store: where images are, and where a boot unpacks them.
        cache: facts of layers between runs.
        state: folder for mount points.
    """

    store: Store
    cache: Path
    state: Path


def verify(request: Request, places: Places, progress: Progress = silent) -> Report:
    """Returns the report on one image as one function runs it.

    Raises:
        UnknownRuleError: a rule to allow does not exist.
        UnderstudyError: there is no such image, or it cannot be read.
    """
    check_rules(request.allowed)
    with sources.open(request.reference, store=places.store, platform=_platform(request)) as source:
        started = time.perf_counter()
        progress("looking at its files")
        looked = subject.load(source, launch=request.launch, cache_dir=places.cache)
        findings = catalogue.check_all(looked)
        middle = time.perf_counter()
        booted, shown = _boot(request, source, looked, places, progress)
        findings += shown
        ended = time.perf_counter()
    return Report(
        reference=request.name or request.reference,
        digest=source.image.digest,
        architecture=looked.architecture,
        size_bytes=source.image.size_bytes,
        uncompressed_bytes=sum(layer.uncompressed_bytes for layer in looked.layers),
        base=base.of(looked),
        launch=looked.launch,
        rule_set=version.rule_set(),
        rules={rule: catalogue.RULES[rule] for rule in catalogue.RULES if _names(findings, rule)},
        findings=findings,
        allowed=request.allowed,
        boot=None if booted.skipped else _facts(booted, findings),
        boot_skipped=booted.skipped,
        seconds=Seconds(static=middle - started, boot=ended - middle),
    )


class UnknownRuleError(UnderstudyError):
    """A rule was named that does not exist."""


def check_rules(names: Iterable[str]) -> None:
    """Returns when every name is a rule's.

    Raises:
        UnknownRuleError: one is not; the hint names the nearest.
    """
    for name in names:
        if name not in catalogue.RULES:
            raise UnknownRuleError(
                "rule-unknown",
                f"{name} is no rule of this version ({len(catalogue.RULES)} are in docs/faults.md)",
                hint=errors.suggestion(name, catalogue.RULES),
            )


def _platform(request: Request) -> str:
    if request.platform:
        return request.platform
    return "linux/arm64" if request.launch.architecture == "arm64" else sources.DEFAULT_PLATFORM


def _boot(
    request: Request, source: ImageSource, looked: Subject, places: Places, progress: Progress
) -> tuple[BootReport, tuple[Finding, ...]]:
    """What the boot showed, or why there was none, and what either means."""
    if request.static:
        return BootReport(skipped="--static was given"), ()
    reason = intake.obstacle(source)
    if reason:
        return BootReport(skipped=reason), ()
    try:
        root = rootfs.prepare(places.store, intake.bring(source, places.store, progress))
    except UnderstudyError as error:
        return BootReport(skipped=f"its layers cannot be unpacked: {error.message}"), ()
    progress("booting it in the sandbox")
    wanted = BootRequest(
        rootfs=root,
        launch=looked.launch,
        architecture=looked.architecture,
        network=request.network,
        endpoint=request.endpoint,
        events=request.events,
        region=request.region,
    )
    booted = boot.run(wanted, state_dir=places.state)
    return booted, (*boot.findings(booted, looked), *_measured(booted, looked))


def _measured(booted: BootReport, looked: Subject) -> Iterator[Finding]:
    """What the figures of a boot say about the function's limits."""
    if booted.skipped:
        return
    figures = configuration.Figures(
        peak_mb=booted.peak_mb or None,
        init_ms=booted.init_ms,
        first_request_ms=booted.first_request_ms,
        oom_killed=booted.out_of_memory,
    )
    for finding in configuration.check_measured(looked.launch, figures):
        yield dataclasses.replace(finding, source="boot")


def _facts(booted: BootReport, findings: Iterable[Finding]) -> Boot:
    from_boot = (one for one in findings if one.source == "boot")
    return Boot(
        passed=booted.started and not any(one.severity is Severity.FAILS for one in from_boot),
        init_ms=booted.init_ms,
        first_request_ms=booted.first_request_ms,
        second_request_ms=booted.second_request_ms,
        peak_memory_mb=round(booted.peak_mb, 1),
        constraints=tuple(f"{name}: {means}" for name, means in booted.constraints.items()),
        observations=tuple(_observations(booted)),
    )


def _observations(booted: BootReport) -> Iterable[tuple[str, str]]:
    for outcome in booted.outcomes[:_OUTCOMES]:
        status = f" {outcome.status_code}" if outcome.status_code else ""
        yield outcome.event.name, f"{outcome.verdict}{status}, {outcome.duration_ms:.1f} ms"
    if booted.names_at_init:
        yield "names looked up at init", ", ".join(booted.names_at_init[:_OUTCOMES])
    if booted.observations is not None and booted.observations.problem:
        yield "observer", booted.observations.problem


def _names(findings: Iterable[Finding], rule: str) -> bool:
    return any(one.rule == rule for one in findings)

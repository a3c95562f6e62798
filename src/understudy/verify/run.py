"""One verification from a reference to a report: open, look, boot, compare.

The composition and nothing else: rules judge, the boot observes, the report decides. Refuses to stop at the
first fault: files and boot are both asked, so that they can contradict each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.manifests import errors
from understudy.verify import base, catalogue, sources, subject, version
from understudy.verify.report import Report, Seconds
from understudy.verify.subject import LaunchOverrides

if TYPE_CHECKING:
    from pathlib import Path

    from understudy.image.store import Store
    from understudy.sandbox.model import Network
    from understudy.verify.boot import Event
    from understudy.verify.model import Finding, Subject
    from understudy.verify.report import Boot
    from understudy.verify.sources import ImageSource

Progress = Callable[[str], None]


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
        booted, skipped, shown = _boot(request, source, looked, places, progress)
        findings += shown
        ended = time.perf_counter()
    named = {one.rule for one in findings}
    return Report(
        reference=request.name or request.reference,
        digest=source.image.digest,
        architecture=looked.architecture,
        size_bytes=source.image.size_bytes,
        uncompressed_bytes=sum(layer.uncompressed_bytes for layer in looked.layers),
        base=base.of(looked),
        launch=looked.launch,
        rule_set=version.rule_set(),
        rules={name: rule for name, rule in catalogue.RULES.items() if name in named},
        findings=findings,
        allowed=request.allowed,
        boot=booted,
        boot_skipped=skipped,
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
            close = errors.nearest(name, catalogue.RULES)
            raise UnknownRuleError(
                "rule-unknown",
                f"{name} is none of the {len(catalogue.RULES)} rules",
                hint=f"write {close}" if close else "take the rule's name from docs/faults.md",
            )


def _platform(request: Request) -> str:
    if request.platform:
        return request.platform
    return "linux/arm64" if request.launch.architecture == "arm64" else sources.DEFAULT_PLATFORM


def _boot(
    request: Request, source: ImageSource, looked: Subject, places: Places, progress: Progress
) -> tuple[Boot | None, str, tuple[Finding, ...]]:
    """What the boot showed, or why there was none, and what either means."""
    if request.static:
        return None, "--static was given", ()
    # Looking at files needs no sandbox, and a sandbox takes longer to load than to look.
    from understudy.verify import trial  # noqa: PLC0415 - as above

    conditions = trial.Conditions(
        store=places.store,
        state=places.state,
        events=request.events,
        network=request.network,
        endpoint=request.endpoint,
        region=request.region,
    )
    found = trial.run(source, looked, conditions, progress)
    return found.boot, found.skipped, found.findings

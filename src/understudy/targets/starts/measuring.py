"""Cold starts of a project's image, as its functions run it: what is measured, and with what."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart import (
    advice,
    comparison,
    instrument,
    leftovers,
    measure,
    owners,
    profiles,
    snapstart,
)
from understudy.coldstart.model import Cache, Condition, Report, Series, Subject, Tried
from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.image.builder import STAND_IN_LABEL
from understudy.image.rootfs_view import RootfsView, standard_libraries
from understudy.sandbox import executors, prologue
from understudy.targets import built, launches
from understudy.targets import stack as stacks
from understudy.targets.events import Advanced, Done, Started
from understudy.targets.starts import what_ifs
from understudy.verify import boot
from understudy.verify.subject import effective_launch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from understudy.coldstart.changes import Change
    from understudy.image.model import Image
    from understudy.image.store import Store
    from understudy.sandbox import Executor, SandboxSpec
    from understudy.targets.events import Report as Tell
    from understudy.targets.launches import FunctionLaunch
    from understudy.targets.target import Target
    from understudy.targets.workspace import Workspace

_STEP = "cold starts"
_WATCHED = 3  # the one in the middle is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to measure.

    Attributes:
        image: name in the project file.
        function: of the manifests; empty for the first that runs the image.
        runs: cold starts under each condition.
        memory_mb: memory sizes; empty for the function's own.
        caches: page cache, one series each.
        throttled_init: whether init gets the invoke phase's CPU.
        event: payload of the requests.
        event_name: for people.
        endpoint: of a running local AWS; empty for none.
        what_ifs: changes to try.
        digest: of the image; empty for the one that was built last.
        is_http: whether the event is a request for HTTP that we made.
    """

    image: str
    function: str = ""
    runs: int = 10
    memory_mb: tuple[int, ...] = ()
    caches: tuple[Cache, ...] = ("warm",)
    throttled_init: bool = False
    event: bytes = b"{}"
    event_name: str = "{}"
    endpoint: str = ""
    what_ifs: tuple[Change, ...] = ()
    digest: str = ""
    is_http: bool = False


def run(workspace: Workspace, target: Target, store: Store, wanted: Wanted, tell: Tell) -> Report:
    """Measures, then watches one more start, and says what would make it shorter.

    Raises:
        UnderstudyError: the image was not built, does not start, or this machine cannot isolate.
    """
    subject = subject_of(workspace, target, store, wanted)
    workspace.layout.sandboxes.mkdir(parents=True, exist_ok=True)
    tell(Started(step=_STEP))
    began = time.monotonic()
    copies, problems = _copies(subject, wanted, store, workspace.layout.sandboxes, tell)
    report = asyncio.run(_measured(workspace.layout.sandboxes, subject, wanted, copies, tell))
    report = dataclasses.replace(report, tried=(*report.tried, *problems))
    tell(Done(step=_STEP, seconds=time.monotonic() - began))
    return report


def subject_of(workspace: Workspace, target: Target, store: Store, wanted: Wanted) -> Subject:
    """The image, as the function that is measured runs it.

    Raises:
        UnderstudyError: the image was not built, or no such function runs it.
    """
    digest = wanted.digest or built.digests(workspace, store, [wanted.image])[wanted.image]
    image = store.image(digest)
    launch = launch_of(workspace, target, wanted)
    return Subject(
        image=wanted.image,
        digest=digest,
        function=launch.function,
        spec=_spec(image, launch, store, wanted.endpoint),
        event=wanted.event,
        event_name=wanted.event_name,
        stand_in_for=image.config.labels.get(STAND_IN_LABEL, ""),
        labels=image.config.labels,
    )


def _copies(
    subject: Subject, wanted: Wanted, store: Store, state_dir: Path, tell: Tell
) -> tuple[dict[str, Subject], list[Tried]]:
    """The changed subjects by change, and the changes that cannot be made."""
    copies: dict[str, Subject] = {}
    problems: list[Tried] = []
    for change in dict.fromkeys(wanted.what_ifs):
        tell(Advanced(step=_STEP, text=f"making a copy with {change}"))
        try:
            copies[str(change)] = what_ifs.changed(subject, change, store, state_dir)
        except UnderstudyError as error:
            problems.append(Tried(change=str(change), problem=error.message))
    return copies, problems


async def _measured(
    state_dir: Path, subject: Subject, wanted: Wanted, copies: Mapping[str, Subject], tell: Tell
) -> Report:
    executor = executors.make(executors.chosen(os.environ), state_dir)
    await executor.open()
    try:
        return await _report(subject, wanted, copies, executor, tell)
    finally:
        await executor.close()


async def _report(
    subject: Subject, wanted: Wanted, copies: Mapping[str, Subject], executor: Executor, tell: Tell
) -> Report:
    conditions = [
        Condition(memory_mb=memory_mb, cache=cache, throttled_init=wanted.throttled_init)
        for memory_mb in wanted.memory_mb or (subject.spec.memory_mb,)
        for cache in wanted.caches
    ]
    headline = conditions[0]
    calibrating, _ = await _starting(_empty(subject), headline, executor)
    starting, problems = await _starting(copies, headline, executor)
    found = await measure.series(
        [
            *((subject, condition) for condition in conditions),
            *((other, headline) for other in (*calibrating.values(), *starting.values())),
        ],
        wanted.runs,
        executor,
        lambda number: tell(Advanced(step=_STEP, text=f"round {number} of {wanted.runs}")),
    )
    beside = found[len(conditions) :]
    tell(Advanced(step=_STEP, text="watching some"))
    report = Report(
        image=subject.image,
        digest=subject.digest,
        function=subject.function,
        event=subject.event_name,
        stand_in_for=subject.stand_in_for,
        host=measure.host(),
        series=tuple(found[: len(conditions)]),
        calibration=beside[0] if calibrating else None,
        notes=tuple(_notes(found[0], subject)),
    )
    report = await _explained(report, subject, headline, executor)
    report = dataclasses.replace(report, touched=await measure.touches(subject, headline, executor))
    tried = zip(starting, beside[len(calibrating) :], strict=True)
    return dataclasses.replace(
        report, tried=(*(_tried(report, change, series) for change, series in tried), *problems)
    )


def _empty(subject: Subject) -> dict[str, Subject]:
    """The empty handler, where Python would run it: another runtime looks for one in its own language."""
    has_python = standard_libraries(RootfsView(subject.spec.rootfs), subject.spec.entrypoint)
    return {measure.EMPTY: measure.empty(subject)} if has_python else {}


async def _starting(
    copies: Mapping[str, Subject], condition: Condition, executor: Executor
) -> tuple[dict[str, Subject], list[Tried]]:
    """The copies that start and answer, and what keeps the others from it."""
    found: dict[str, Subject] = {}
    problems: list[Tried] = []
    for change, copy in copies.items():
        try:
            await measure.cold_start(copy, condition, executor)
        except UnderstudyError as error:
            problems.append(Tried(change=change, problem=error.message))
        else:
            found[change] = copy
    return found, problems


def _tried(report: Report, change: str, series: Series) -> Tried:
    """What came of a change; one that makes requests fail saves nothing."""
    failing, failed = ({one.error for one in part.samples} for part in (report.series[0], series))
    if failed - failing - {""}:
        told = ", ".join(sorted(failed - failing - {""}))
        return Tried(change=change, problem=f"it starts, and {report.event} fails with {told}")
    before, after = ([one.init_ms for one in part.samples] for part in (report.series[0], series))
    kind, _, name = change.partition(":")
    predicted = [one.saves_ms for one in report.suggestions if one.rule == kind and name in ("", one.subject)]
    return Tried(
        change=change,
        series=series,
        saves_ms=report.series[0].spread("init_ms").median - series.spread("init_ms").median,
        p_value=comparison.p_value(before, after),
        predicted_ms=predicted[0] if predicted else None,
    )


async def _explained(report: Report, subject: Subject, condition: Condition, executor: Executor) -> Report:
    """The report with where the time goes, as far as the image's Python can be watched."""
    view = RootfsView(subject.spec.rootfs)
    program = f"{inspect.getsource(instrument)}\n\ninstall()\n"
    files = prologue.files(view, subject.spec, program)
    note = "the image's Python could not be watched: there is no Python, or not AWS's runtime client"
    try:
        watched = [
            await measure.record(subject, condition, files, executor) for _ in range(_WATCHED if files else 0)
        ]
    except UnderstudyError as error:  # the time that instruments take may be what init has left
        watched = []
        note = f"the image could not be watched: with the instruments in it, {error.message}"
    told = sorted((one for one in watched if one is not None), key=lambda one: one.next_ms[0])
    if not told:
        return dataclasses.replace(report, notes=(*report.notes, note))
    recording = told[len(told) // 2]
    task_root = subject.spec.environment.get("LAMBDA_TASK_ROOT", "/var/task")
    libraries = standard_libraries(view, subject.spec.entrypoint)
    folders = [task_root, *(f"{library}/site-packages" for library in libraries)]
    whose = owners.load(view, folders, task_root=task_root)
    module = subject.spec.command[-1].rpartition(".")[0] if subject.spec.command else ""
    profile = profiles.profile(recording, handler=module, owners=whose)
    return dataclasses.replace(
        report,
        profile=profile,
        overhead_ms=profile.init_ms - report.series[0].spread("init_ms").median,
        suggestions=advice.suggestions(
            recording,
            profile,
            owners=whose,
            leftovers=await leftovers.look(view, subject, condition, recording, whose, executor),
            eligibility=snapstart.of(view, subject),
            event=subject.event_name,
        ),
    )


def _notes(series: Series, subject: Subject) -> list[str]:
    errors = sorted({one.error for one in series.samples if one.error})
    if not errors:
        return []
    return [
        f"{subject.event_name} fails with {', '.join(errors)}, and so the figures of requests are those of "
        "failures; --path or --event sends another event"
    ]


def launch_of(workspace: Workspace, target: Target, wanted: Wanted) -> FunctionLaunch:
    """How the function that is measured runs the image.

    Raises:
        UnderstudyError: none of that name runs it.
    """
    stack = stacks.load(workspace.root, workspace.project, target, stacks.any_digests(workspace.project))
    found = launches.of_image(stack, wanted.image, size_budget_bytes=1)
    for one in found:
        if wanted.function in ("", one.function):
            return one
    names = ", ".join(one.function for one in found if one.function) or "none"
    raise UnderstudyError(
        "function-missing",
        f"no Function {wanted.function} runs image {wanted.image}; those that do: {names}",
        hint="name one of them, or leave --function out",
    )


def _spec(image: Image, launch: FunctionLaunch, store: Store, endpoint: str) -> SandboxSpec:
    wanted = boot.BootRequest(
        rootfs=rootfs.prepare(store, image.digest),
        launch=effective_launch(image.config, launch.overrides),
        architecture=launch.overrides.architecture or "x86_64",
        network="host",
        endpoint=endpoint,
    )
    return boot.sandbox_spec(wanted)

"""A few cold starts of one digest, or of two that take turns: figures for a verdict, and nothing else.

Where two are measured, what else the machine does meets both alike: that is what tells a slower image from a
busier hour.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from typing import TYPE_CHECKING

from understudy.coldstart import measure
from understudy.coldstart.model import Condition, Report
from understudy.sandbox import executors
from understudy.targets.events import Advanced, Done, Started
from understudy.targets.starts import measuring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from understudy.coldstart.model import Series, Subject
    from understudy.image.store import Store
    from understudy.targets.events import Report as Tell
    from understudy.targets.starts.measuring import Wanted
    from understudy.targets.target import Target
    from understudy.targets.workspace import Workspace


def run(
    workspace: Workspace, target: Target, store: Store, wanted: Wanted, digests: Sequence[str], tell: Tell
) -> list[Report]:
    """A report of each digest: one series, of the first wanted memory size or the function's own.

    Raises:
        UnderstudyError: an image is not here or does not start, or this machine cannot isolate.
    """
    step = f"cold starts of {wanted.image}"
    began = time.monotonic()
    tell(Started(step=step))
    subjects = [
        measuring.subject_of(workspace, target, store, dataclasses.replace(wanted, digest=digest))
        for digest in digests
    ]
    folder = workspace.layout.sandboxes
    folder.mkdir(parents=True, exist_ok=True)
    conditions = [Condition(memory_mb=(*wanted.memory_mb, one.spec.memory_mb)[0]) for one in subjects]
    measured = asyncio.run(
        _series(
            folder,
            list(zip(subjects, conditions, strict=True)),
            wanted.runs,
            lambda number: tell(Advanced(step=step, text=f"round {number} of {wanted.runs}")),
        )
    )
    tell(Done(step=step, seconds=time.monotonic() - began))
    return [
        Report(
            image=subject.image,
            digest=subject.digest,
            function=subject.function,
            event=subject.event_name,
            stand_in_for=subject.stand_in_for,
            host=measure.host(),
            series=(series,),
        )
        for subject, series in zip(subjects, measured, strict=True)
    ]


async def _series(
    folder: Path,
    subjects: Sequence[tuple[Subject, Condition]],
    runs: int,
    progress: Callable[[int], None],
) -> list[Series]:
    executor = executors.make(executors.chosen(os.environ), folder)
    await executor.open()
    try:
        return await measure.series(subjects, runs, executor, progress)
    finally:
        await executor.close()

"""The observed boot: the image once more, with the observer in it, for what init does besides importing.

Nothing it shows makes an image pass, and it is not measured.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from typing import TYPE_CHECKING

from understudy.sandbox import prologue
from understudy.verify.boot import observations, observer
from understudy.verify.boot.model import Observations
from understudy.verify.boot.session import Session

if TYPE_CHECKING:
    from understudy.image.rootfs_view import RootfsView
    from understudy.sandbox import Executor, SandboxSpec
    from understudy.verify.boot.model import Attempt, BootRequest

_WAITING_AFTER_S = 3.0
_OBSERVER_SLOWDOWN = 1.5
_DUMP_ROUNDS = 25
_DUMP_ROUND_S = 0.01


class Watch:
    """An observed boot that may begin before the deciding one is over.

    Args:
        request: what to boot.
        spec: as it was booted for the verdict.
        files: of the image.
        executor: isolates.
    """

    def __init__(
        self, request: BootRequest, spec: SandboxSpec, files: RootfsView, executor: Executor
    ) -> None:
        self._request = request
        self._of = (request, spec, files, executor)
        self._task: asyncio.Task[Observations] | None = None

    def begin(self, first: Attempt) -> None:
        """Starts it, once nothing is measured any more; it is wanted and has not begun."""
        if self._request.observe and self._task is None:
            self._task = asyncio.get_running_loop().create_task(_watch(*self._of, first))

    async def result(self, first: Attempt) -> Observations | None:
        """What it saw; `None` when it was not wanted."""
        self.begin(first)
        return await self._task if self._task is not None else None

    async def cancel(self) -> None:
        """Ends it early."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


async def _watch(
    request: BootRequest, spec: SandboxSpec, files: RootfsView, executor: Executor, first: Attempt
) -> Observations:
    """The boot that tells what init does besides importing."""
    gave_up = first.timed_out
    limit_s = min(_WAITING_AFTER_S, request.init_timeout_s / 2) if gave_up else 0.0
    program = f"{inspect.getsource(observer)}\n\ninstall({limit_s})\n"
    laid = prologue.files(files, spec, program, stdlib=request.stdlib)
    if not laid:
        return Observations(problem="no Python standard library was found in the image")
    if first.error_type == "Runtime.InvalidEntrypoint":
        return Observations(problem="the entrypoint cannot be executed")
    watched = dataclasses.replace(
        spec,
        files=laid,
        init_timeout_s=limit_s + 0.5 if gave_up else request.init_timeout_s * _OBSERVER_SLOWDOWN,
    )
    async with Session(watched, executor=executor, explain=False) as session:
        attempt = await session.ready()
        if not attempt.error_type:
            await _dump_threads(session)
        own = session.environment.isolation
        output = "".join(session.lines)
        return observations.parse(
            output, name_of=own.name_of if own is not None else str, endpoint=request.endpoint
        )


async def _dump_threads(session: Session) -> None:
    """Has the observer write where every thread stands while the runtime waits for its first event."""
    before = len(session.lines)
    session.environment.signal(observer.SIGNAL)
    for _ in range(_DUMP_ROUNDS):
        await asyncio.sleep(_DUMP_ROUND_S)
        if any(line.startswith("Current thread") for line in session.lines[before:]):
            # The rest of the dump was written in the same breath.
            await asyncio.sleep(_DUMP_ROUND_S)
            return

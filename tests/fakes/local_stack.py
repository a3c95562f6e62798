"""A local stack that runs nothing: what the command line needs of one."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from tests.fakes.project import RECORD
from understudy.errors import UnderstudyError
from understudy.targets.engine_process import EngineProcess
from understudy.targets.events import Done, Report, Started
from understudy.targets.record import StackRecord
from understudy.targets.up_options import UpOptions
from understudy.targets.workspace import Workspace


@dataclass
class FakeLocalStack:
    """Comes up at once, or fails as told; `during` is called while it serves."""

    error: UnderstudyError | None = None
    during: Callable[[], None] = lambda: None
    options: list[UpOptions] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    report: Report | None = None

    @contextlib.contextmanager
    def claimed(self, workspace: Workspace, options: UpOptions) -> Iterator[EngineProcess]:
        """Plays `local_engine.claimed` with an engine that is never launched."""
        yield EngineProcess(workspace.layout)

    def __call__(
        self, workspace: Workspace, engine: EngineProcess, options: UpOptions, report: Report
    ) -> Self:
        """Plays the constructor."""
        self.options.append(options)
        self.report = report
        return self

    def __enter__(self) -> Self:
        self.calls.append("enter")
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("exit")

    def up(self, stop: threading.Event) -> StackRecord:
        """Reports two steps and returns the record."""
        self.calls.append("up")
        if self.error is not None:
            raise self.error
        assert self.report is not None
        self.report(Started(step="local AWS"))
        self.report(Done(step="local AWS", seconds=0.5))
        return RECORD

    def serve(self, stop: threading.Event) -> None:
        """Returns once `during` has made somebody set `stop`."""
        self.calls.append("serve")
        self.during()
        assert stop.wait(60)

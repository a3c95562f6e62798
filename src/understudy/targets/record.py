"""What runs for a project, written by the process that runs it; its lock says whether it is alive."""

import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image import atomic, locks
from understudy.targets.layout import Layout

HEALTH = "/health"
"""Path that says whether an application runs, where it has one."""

_STOP_WAIT_S = 20.0
_CLAIM_WAIT_S = 0.3
"""Longer than anybody who only asks holds the lock."""


class AlreadyRunningError(UnderstudyError):
    """Another process runs this project's stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningFunction:
    """One function of a running stack.

    Attributes:
        image: the project's image that it runs.
        function: ``NAME:ALIAS`` that callers reach, ``NAME`` where it has no alias.
        digest: digest that it runs.
        url: its own URL; empty where it has none.
    """

    image: str
    function: str
    digest: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """A running local stack.

    Attributes:
        pid: the process that runs it; SIGTERM stops everything.
        endpoint: base URL of the local AWS.
        api_url: base URL of the HTTP or REST API with its stage, one that resolves on this machine.
        api_host_url: the same API under its execute-api host name.
        dev_url: base URL of the development server; empty when there is none.
        image_digest: digest that `function` runs.
        function: ``NAME:ALIAS`` of the project's first image: what commands mean that are given no name.
        stand_in_for: base image that a stand-in replaces; empty for the real one.
        timings_s: seconds by step.
        region: AWS region that the stack lives in.
        functions: every function that runs an image of the project, in the project file's order.
        path: one to ask the API for; ``/`` where the application has no ``/health``.
    """

    pid: int
    endpoint: str
    api_url: str
    api_host_url: str
    dev_url: str
    image_digest: str
    function: str
    stand_in_for: str
    timings_s: dict[str, float]
    region: str = "us-east-1"
    functions: tuple[RunningFunction, ...] = ()
    path: str = HEALTH

    def with_digest(self, image: str, digest: str) -> "StackRecord":
        """The same stack, the functions of one image running another digest."""
        functions = tuple(
            dataclasses.replace(one, digest=digest) if one.image == image else one for one in self.functions
        )
        first = next((one.digest for one in functions if one.function == self.function), self.image_digest)
        return dataclasses.replace(self, functions=functions, image_digest=first)


def parse(text: str) -> StackRecord:
    """The record that its own JSON describes."""
    fields = json.loads(text)
    functions = tuple(RunningFunction(**one) for one in fields.pop("functions", ()))
    return StackRecord(**fields, functions=functions)


def _lock_path(layout: Layout) -> Path:
    return layout.run / "stack.lock"


def _record_path(layout: Layout) -> Path:
    return layout.run / "stack.json"


@contextlib.contextmanager
def claim(layout: Layout) -> Iterator[None]:
    """Makes this process the one that runs the project's stack, until the block ends.

    Raises:
        AlreadyRunningError: another process does.
    """
    layout.run.mkdir(parents=True, exist_ok=True)
    with locks.exclusive_within(_lock_path(layout), _CLAIM_WAIT_S) as claimed:
        if not claimed:
            raise AlreadyRunningError(
                "already-running",
                f"a stack of {layout.root} is running already",
                hint="./understudy status, or ./understudy down to stop it",
                where=str(_record_path(layout)),
            )
        _record_path(layout).unlink(missing_ok=True)
        _write_pid(layout)
        try:
            yield
        finally:
            _record_path(layout).unlink(missing_ok=True)
            (layout.run / "stack.pid").unlink(missing_ok=True)


def _write_pid(layout: Layout) -> None:
    atomic.write(layout.run / "stack.pid", str(os.getpid()).encode())


def write(layout: Layout, record: StackRecord) -> None:
    """Publishes what runs; only the claimant may."""
    atomic.write(_record_path(layout), json.dumps(dataclasses.asdict(record), indent=2).encode())


def is_running(layout: Layout) -> bool:
    """Whether some process has claimed the stack."""
    if not _lock_path(layout).exists():
        return False
    with locks.exclusive_within(_lock_path(layout), 0.0) as free:
        return not free


def read(layout: Layout) -> StackRecord | None:
    """Returns what runs, or None when nothing does or it is still starting."""
    return read_own(layout) if is_running(layout) else None


def read_own(layout: Layout) -> StackRecord | None:
    """Returns what the claimant itself has published."""
    try:
        return parse(_record_path(layout).read_text())
    except FileNotFoundError:
        return None


def stop(layout: Layout) -> bool:
    """Stops what runs and waits for its end; returns whether anything ran.

    The claimant ends its children itself; one that does not within 20 s is killed, and the kernel ends its
    children with it.
    """
    if not is_running(layout):
        return False
    pid = int((layout.run / "stack.pid").read_text())
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _STOP_WAIT_S
        while time.monotonic() < deadline:
            if not is_running(layout) and not _lives(pid):
                return True
            time.sleep(0.02)
    raise UnderstudyError(
        "stop-failed",
        f"process {pid} of the stack does not end",
        hint=f"look at it: ps -o pid,stat,cmd -p {pid}",
    )


def _lives(pid: int) -> bool:
    """Whether a process exists and is no zombie that its parent has yet to reap."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()

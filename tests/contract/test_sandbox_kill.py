"""kill -9 of any part leaves no process, no control group and no mount behind."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime_root import Place

IDENTITIES = [0, 65534] if os.geteuid() == 0 else [os.geteuid()]
_PATIENCE_S = 20


@pytest.fixture(scope="module")
def place(sandbox_place: Place) -> Place:
    return sandbox_place


class Engine:
    """A driver process with one environment."""

    def __init__(self, place: Place, uid: int) -> None:
        self.process = subprocess.Popen(
            place.driver(uid, "hang"),
            **place.identity(uid),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.seen = self.read()
        self.inside = descendants(self.seen["pids"]["fork_server"])

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


@pytest.fixture(params=IDENTITIES, ids=lambda uid: "root" if uid == 0 else "unprivileged")
def engine(request: pytest.FixtureRequest, place: Place) -> Iterator[Engine]:
    started = Engine(place, request.param)
    yield started
    started.close()


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, and `pid`."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
    found = [pid]
    for candidate in found:
        found += [child for child, parent in parents.items() if parent == candidate]
    return found


def living(pids: list[int]) -> list[int]:
    alive = []
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                alive.append(pid)
    return alive


def eventually(left: Any) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not found


def test_engine_killed_leaves_nothing(engine: Engine) -> None:
    assert len(engine.inside) >= 5, "fork server, its first process, the holder, the runtime and its child"
    assert all(Path(group).exists() for group in engine.seen["groups"])
    engine.process.send_signal(signal.SIGKILL)
    engine.process.wait()
    eventually(lambda: living(engine.inside))
    eventually(lambda: [group for group in engine.seen["groups"] if Path(group).exists()])
    assert "understudy-root-" not in Path("/proc/mounts").read_text()


def test_fork_server_killed_takes_every_sandbox_and_is_started_again(engine: Engine) -> None:
    os.kill(engine.seen["pids"]["fork_server"], signal.SIGKILL)
    eventually(lambda: living(engine.inside[1:]))
    eventually(lambda: engine.ask("state") != "dead")
    assert engine.ask("again") == "alive"


def test_first_process_killed_takes_its_sandbox_alone(engine: Engine) -> None:
    holder = engine.seen["pids"]["holder"]
    inside = descendants(holder)
    os.kill(holder, signal.SIGKILL)
    eventually(lambda: living(inside))
    eventually(lambda: engine.ask("state") != "dead")
    assert engine.ask("again") == "alive"

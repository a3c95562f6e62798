"""kill -9 of any part leaves no process, no control group and no mount behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.driven_engine import Engine, eventually
from tests.contract.engine_process import alive, descendants
from tests.fakes.runtime_root import Place

IDENTITIES = [0, 65534] if os.geteuid() == 0 else [os.geteuid()]


@pytest.fixture(scope="module")
def place(sandbox_place: Place) -> Place:
    return sandbox_place


@pytest.fixture(params=IDENTITIES, ids=lambda uid: "root" if uid == 0 else "unprivileged")
def engine(request: pytest.FixtureRequest, place: Place) -> Iterator[Engine]:
    started = Engine(place, request.param)
    yield started
    started.close()


def living(pids: list[int]) -> list[int]:
    return [pid for pid in pids if alive(pid)]


def test_engine_killed_leaves_nothing(engine: Engine) -> None:
    inside = descendants(engine.seen["pids"]["fork_server"])
    assert len(inside) >= 5, "fork server, its first process, the holder, the runtime and its child"
    assert all(Path(group).exists() for group in engine.seen["groups"])
    engine.process.send_signal(signal.SIGKILL)
    engine.process.wait()
    eventually(lambda: living(inside))
    eventually(lambda: [group for group in engine.seen["groups"] if Path(group).exists()])
    assert "understudy-root-" not in Path("/proc/mounts").read_text()


def test_fork_server_killed_takes_every_sandbox_and_is_started_again(engine: Engine) -> None:
    inside = descendants(engine.seen["pids"]["fork_server"])
    os.kill(engine.seen["pids"]["fork_server"], signal.SIGKILL)
    eventually(lambda: living(inside[1:]))
    eventually(lambda: engine.ask("state") != "dead")
    assert engine.ask("again") == "alive"


def test_first_process_killed_takes_its_sandbox_alone(engine: Engine) -> None:
    holder = engine.seen["pids"]["holder"]
    inside = descendants(holder)
    os.kill(holder, signal.SIGKILL)
    eventually(lambda: living(inside))
    eventually(lambda: engine.ask("state") != "dead")
    assert engine.ask("again") == "alive"

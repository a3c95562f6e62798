"""kill -9 at every call of AWS: the next run ends where an uninterrupted one does, whatever was under way.

Two points per call: it is never sent, which is death right after the answer before it, and, where it writes,
it has its effect and its answer never arrives. Eight threads make calls, so some others are cut off as well.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests import figures
from tests.contract import end_state
from tests.contract import reconcile_servers as servers
from tests.contract.end_state import EndState
from tests.contract.forked import Forked
from tests.doubles import moto
from tests.doubles.proxy import Kill
from tests.doubles.server import Double, plain
from tests.doubles.wire import Call

_LANES = 2
_SPARE = 8  # threads may make a call or two more than they did when calls were counted

# Per command: what is run before it.
COMMANDS = {"deploy": (), "update": ("deploy",), "rollout": ("deploy",), "delete": ("deploy",)}


class Lane:
    """One moto server, and applies to it that may be killed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        folder.mkdir()
        self._upstream = stack.enter_context(servers.moto_process(folder))
        self._double = stack.enter_context(Double(self._upstream, below=moto.bucket_tags))
        self._forked = stack.enter_context(Forked("moto", self._double.url, folder))
        self._reader = end_state.reader(self._upstream)

    def _run(self, command: str) -> None:
        outcome = self._forked.run(command)
        assert outcome == type(outcome)(killed=False, message=""), f"{command}: {outcome}"

    def uninterrupted(self, command: str) -> tuple[EndState, int]:
        """Where a command ends, and how many calls it makes."""
        self._prepare(command)
        self._run(command)
        return self._reader.read(), len(self._double.calls)

    def _prepare(self, command: str) -> None:
        self._double.hook = plain
        requests.post(f"{self._upstream}/moto-api/reset", timeout=30).raise_for_status()
        for before in COMMANDS[command]:
            self._run(before)
        self._double.reset()

    def crashed(self, command: str, kill: Kill, expected: EndState) -> Call | None:
        """The call that a command died with, once it was run again; None when it made fewer calls.

        Raises:
            AssertionError: it ended somewhere else.
        """
        self._prepare(command)
        self._double.hook = kill
        outcome = self._forked.run(command, kill.pid.put)
        self._double.wait_idle()
        self._double.hook = plain
        if kill.hit is None:
            assert outcome.message == ""
            return None
        where = f"{command} killed at call {kill.call} ({kill.hit.operation}, after={kill.after_effect})"
        assert outcome.killed, f"{where}: {outcome}"
        self._run(command)
        assert self._reader.read() == expected, where
        return kill.hit


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lane]]:
    folder = tmp_path_factory.mktemp("crash")
    with ExitStack() as stack:
        yield [Lane(folder / str(number), stack) for number in range(_LANES)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_any_call_the_next_run_ends_the_same(lanes: list[Lane], command: str) -> None:
    expected, calls = lanes[0].uninterrupted(command)
    numbers = iter(range(1, calls + _SPARE))
    lock = threading.Lock()

    def points(lane: Lane) -> list[Call]:
        found: list[Call] = []
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return found
            call = lane.crashed(command, Kill(call=number, after_effect=False), expected)
            found += [call] if call else []
            if call and call.writes:
                later = lane.crashed(command, Kill(call=number, after_effect=True), expected)
                found += [later] if later else []

    with ThreadPoolExecutor(_LANES) as pool:
        hit = [call for part in pool.map(points, lanes) for call in part]
    assert len(hit) >= calls
    figures.tell(
        f"crash points of {command}: {len(hit)} of {len(hit)} converged "
        f"({calls} calls, {len({call.operation for call in hit})} operations)"
    )

"""Two hundred runs through a proxy where every fifth call goes wrong: each ends right, or says it did not.

A run that claims success is held against the end state of a run without faults, read past the proxy. A run
that stops must say why; the next one, without faults, has to end where it should.
"""

import threading
from collections import Counter
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
from tests.doubles.proxy import Faults
from tests.doubles.server import Double, plain

_LANES = 2
_RUNS = 200
_PROBABILITY = 0.2
_PACE = 5.0  # sleeps are so much shorter than in earnest; calls are not

# What is run before the run that is disturbed.
COMMANDS = {"deploy": (), "update": ("deploy",), "rollout": ("deploy",), "delete": ("deploy",)}


class Lane:
    """One moto server behind a proxy, and applies to it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        folder.mkdir()
        self._upstream = stack.enter_context(servers.moto_process(folder))
        self._double = stack.enter_context(Double(self._upstream, below=moto.bucket_tags))
        self._forked = stack.enter_context(Forked("moto", self._double.url, folder, pace=_PACE))
        self._reader = end_state.reader(self._upstream)

    def undisturbed(self, command: str) -> EndState:
        """Where a command ends."""
        self._prepare(command)
        self._finish(command)
        return self._reader.read()

    def _prepare(self, command: str) -> None:
        self._double.hook = plain
        requests.post(f"{self._upstream}/moto-api/reset", timeout=30).raise_for_status()
        for before in COMMANDS[command]:
            self._finish(before)

    def _finish(self, command: str) -> None:
        self._double.hook = plain
        outcome = self._forked.run(command)
        assert outcome.message == "", f"{command} without faults: {outcome.message}"

    def disturbed(self, command: str, faults: Faults, expected: EndState) -> str:
        """How a run ended: what it said, or nothing when it claimed success.

        Raises:
            AssertionError: it claimed success wrongly, or a run without faults could not mend it.
        """
        self._prepare(command)
        self._double.hook = faults
        outcome = self._forked.run(command)
        self._double.wait_idle()
        where = f"{command} with seed {faults.seed}: {faults.told}"
        if outcome.message:
            assert "hint:" in outcome.message, where
            self._finish(command)
        assert self._reader.read() == expected, f"{where}: {outcome.message or 'claimed success'}"
        return outcome.message


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lane]]:
    folder = tmp_path_factory.mktemp("faults")
    with ExitStack() as stack:
        yield [Lane(folder / str(number), stack) for number in range(_LANES)]


@pytest.mark.timeout(1200)
def test_runs_end_right_or_say_that_they_did_not(lanes: list[Lane]) -> None:
    expected = {command: lanes[0].undisturbed(command) for command in COMMANDS}
    seeds = iter(range(_RUNS))
    lock = threading.Lock()
    told: Counter[str] = Counter()
    messages: list[str] = []

    def runs(lane: Lane) -> None:
        while True:
            with lock:
                seed = next(seeds, None)
            if seed is None:
                return
            command = list(COMMANDS)[seed % len(COMMANDS)]
            faults = Faults(seed=seed, probability=_PROBABILITY)
            message = lane.disturbed(command, faults, expected[command])
            with lock:
                told.update(faults.told)
                messages.append(message)

    with ThreadPoolExecutor(_LANES) as pool:
        list(pool.map(runs, lanes))
    stopped = [message for message in messages if message]
    figures.tell(
        f"fault runs at p = {_PROBABILITY}: {len(messages)} of {_RUNS} ended right: "
        f"{len(messages) - len(stopped)} at once, {len(stopped)} when run again after a stop with a message"
    )
    figures.tell(f"faults: {', '.join(f'{count} {name}' for name, count in sorted(told.items()))}")
    for message, count in Counter(stopped).most_common(5):
        figures.tell(f"stopped {count} times: {message.splitlines()[0]}")

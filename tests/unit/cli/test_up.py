import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.local_stack import FakeLocalStack
from tests.fakes.project import RECORD
from tests.unit.cli.conftest import Understudy
from understudy.errors import EnvironmentProblemError
from understudy.targets import events, local_engine, local_stack, record
from understudy.targets.events import Done, Started
from understudy.targets.up_options import UpOptions
from understudy.targets.workspace import Workspace


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLocalStack]:
    """A stack that a SIGTERM ends, with this process's own handlers put back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    fake = FakeLocalStack(during=lambda: os.kill(os.getpid(), signal.SIGTERM))
    monkeypatch.setattr(local_engine, "claimed", fake.claimed)
    monkeypatch.setattr(local_stack, "LocalStack", fake)
    yield fake
    for number, handler in before.items():
        signal.signal(number, handler)


def child(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a shell script in the place of the process that a detached up starts."""
    path = folder / "child"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


def test_serves_until_a_signal_and_prints_the_screen(
    understudy: Understudy, project: Workspace, stack: FakeLocalStack
) -> None:
    done = understudy("up")

    assert done.exit_code == 0, done.output
    assert stack.calls == ["enter", "up", "serve", "exit"]
    assert RECORD.api_url in done.stdout
    assert "✓ local AWS  0.5 s" in done.stderr


def test_json_is_the_record(understudy: Understudy, project: Workspace, stack: FakeLocalStack) -> None:
    found = json.loads(understudy("up", "--output", "json").stdout)

    assert {"endpoint", "api_url", "dev_url", "image_digest", "timings_s"} <= found.keys()
    assert found["timings_s"] == RECORD.timings_s


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], UpOptions()),
        (["--port", "0"], UpOptions(port=0)),
        (["--engine", "localstack:4566"], UpOptions(engine=("localstack", 4566))),
        (
            ["--no-dev", "--no-watch", "--port", "4570", "--dev-port", "8001"],
            UpOptions(port=4570, dev_port=8001, dev=False, watch=False),
        ),
    ],
)
def test_options_reach_the_stack(
    arguments: list[str],
    options: UpOptions,
    understudy: Understudy,
    project: Workspace,
    stack: FakeLocalStack,
) -> None:
    understudy("up", *arguments)

    assert stack.options == [options]


@pytest.mark.parametrize(
    "arguments", [["--port", "65536"], ["--port", "x"], ["--dev-port", "0"], ["--port", "-1"]]
)
def test_an_impossible_port_is_a_usage_error(
    arguments: list[str], understudy: Understudy, project: Workspace
) -> None:
    assert understudy("up", *arguments).exit_code == 2


def test_a_stack_that_cannot_start_is_left_and_told(
    understudy: Understudy, project: Workspace, stack: FakeLocalStack
) -> None:
    stack.error = EnvironmentProblemError("port-taken", "port 1 is in use", hint="./understudy up --port 2")

    done = understudy("up")

    assert done.exit_code == 3
    assert done.stderr == "error[port-taken]: port 1 is in use\n  hint:  ./understudy up --port 2\n"
    assert stack.calls == ["enter", "up", "exit"]


def test_in_the_background_events_go_to_their_file(
    understudy: Understudy, project: Workspace, stack: FakeLocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.root / "events"
    monkeypatch.setenv("UNDERSTUDY_UP_EVENTS", str(path))

    done = understudy("up", "--detach")

    assert (done.exit_code, done.output) == (0, "")
    found = [events.from_line(line) for line in path.read_text().splitlines()]
    assert found == [Started(step="local AWS"), Done(step="local AWS", seconds=0.5)]


def test_a_detached_up_ends_with_the_words_and_the_code_of_its_child(
    understudy: Understudy, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(project.root, "echo 'error[x]: why' >&2; exit 3", monkeypatch)

    done = understudy("up", "--detach")

    assert (done.exit_code, done.stdout, done.stderr) == (3, "", "error[x]: why\n")


@pytest.mark.parametrize(("text", "told"), [("exit 0", "status 0"), ("kill -9 $$", "status -9")])
def test_a_child_that_ended_without_a_word_is_told(
    text: str, told: str, understudy: Understudy, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(project.root, text, monkeypatch)

    done = understudy("up", "--detach")

    assert done.exit_code == 1
    assert "error[up-failed]" in done.stderr
    assert told in done.stderr
    assert str(project.layout.run / "up.log") in done.stderr


def test_a_second_detached_up_is_refused_at_once(understudy: Understudy, project: Workspace) -> None:
    with record.claim(project.layout):
        done = understudy("up", "--detach")

    assert done.exit_code == 1
    assert "error[already-running]" in done.stderr
    assert "./understudy down" in done.stderr

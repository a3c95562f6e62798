"""The command line in a project of its own, run through the same root as the real one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.gate import FakeGate
from tests.fakes.project import ScriptedTarget
from tests.fakes.verify import Runs
from understudy.cli import root, target_option
from understudy.errors import UnderstudyError
from understudy.image.model import Image
from understudy.targets.verification import Gate
from understudy.targets.workspace import Workspace
from understudy.verify import run

Understudy = Callable[..., Result]
Reached = Callable[..., ScriptedTarget]


@pytest.fixture
def understudy() -> Understudy:
    """Runs a command line; the result holds the exit code that a shell would see."""

    def run_line(*arguments: str, typed: str = "") -> Result:
        @click.command("shell")
        def shell() -> None:
            root.main(list(arguments))

        return CliRunner().invoke(shell, [], input=typed)

    return run_line


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A project that the command line finds in its current folder."""
    found = projects.make(tmp_path / "project")
    monkeypatch.chdir(found.root)
    return found


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Reached:
    """Puts a scripted AWS behind every target."""

    def put(
        answers: Mapping[str, Any] | None = None, *, down: UnderstudyError | None = None
    ) -> ScriptedTarget:
        found = ScriptedTarget(ScriptedAws(answers), down=down)
        monkeypatch.setattr(target_option, "target_of", lambda *_: found)
        return found

    return put


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    """Stands where images are verified before a push; lets everything pass unless told otherwise."""
    found = FakeGate()

    def check(self: Gate, digests: Mapping[str, str]) -> tuple[()]:
        found.allowed = dict(self.allowed)
        return found.check(digests)

    monkeypatch.setattr(Gate, "check", check)
    return found


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Stands where images are verified; they pass unless told otherwise."""
    made = Runs()
    monkeypatch.setattr(run, "verify", made)
    return made


@pytest.fixture
def image(project: Workspace) -> Image:
    """The image of that project, built."""
    return projects.image(project)

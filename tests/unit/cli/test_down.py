import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Understudy
from understudy.targets import record
from understudy.targets.workspace import Workspace


def test_nothing_to_stop_is_no_error(understudy: Understudy, project: Workspace) -> None:
    done = understudy("down")

    assert (done.exit_code, done.stdout) == (0, "nothing was running\n")
    assert json.loads(understudy("down", "-o", "json").stdout) == {"stopped": False}


def test_says_that_it_stopped(
    understudy: Understudy, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "stop", lambda layout: layout.root == project.root)

    assert understudy("down").stdout == "stopped\n"


def test_works_in_a_folder_below_the_project(
    understudy: Understudy, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root / "app")

    assert understudy("down").exit_code == 0


def test_outside_a_project_the_file_is_named(
    understudy: Understudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = understudy("down")

    assert done.exit_code == 1
    assert "hint:  run the command where understudy.yaml is" in done.stderr

"""Targets on this machine when nothing listens there, or somebody else does."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.stack_project import ROOT
from tests.fakes import project as projects
from tests.ports import free_port
from understudy.errors import EnvironmentProblemError
from understudy.targets import local_engine
from understudy.targets.local import LocalTarget
from understudy.targets.localstack import LocalStackTarget
from understudy.targets.up_options import UpOptions
from understudy.targets.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = projects.make(tmp_path / "project")
    path = found.root / "understudy.yaml"
    path.write_text(path.read_text().replace("4599", str(free_port())))
    projects.image(found)
    return projects.find(found.root)


@pytest.mark.parametrize("kind", [LocalTarget, LocalStackTarget])
def test_the_guard_asks_whether_somebody_listens(kind: type[LocalTarget]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        kind(name="local", endpoint_url=url).guard()

    with pytest.raises(EnvironmentProblemError) as caught:
        kind(name="local", endpoint_url=f"http://127.0.0.1:{free_port()}").guard()

    assert (caught.value.code, caught.value.hint) == ("target-down", "./understudy up")
    assert caught.value.retryable


@pytest.mark.parametrize(
    "arguments",
    [
        "get",
        "diff",
        "apply",
        "push",
        "logs",
        "invoke",
        "invoke shop",
        "logs shop -f",
        "describe Function/shop",
    ],
)
def test_without_a_stack_a_command_names_the_one_that_starts_it(arguments: str, workspace: Workspace) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "understudy", *arguments.split()],
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "error[target-down]" in done.stderr
    assert done.stderr.endswith("hint:  ./understudy up\n")
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told_before_anything_is_built(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (
            pytest.raises(EnvironmentProblemError) as caught,
            local_engine.claimed(workspace, UpOptions(port=port, dev=False)),
        ):
            pass

    assert caught.value.code == "port-taken"
    assert f"./understudy up --port {port + 1}" in caught.value.hint


def test_up_listens_where_the_project_file_says(workspace: Workspace) -> None:
    named = LocalTarget.of("local", workspace.project.targets["local"]).port
    with (
        socket.create_server(("127.0.0.1", named)),
        pytest.raises(EnvironmentProblemError, match=f"port {named} is in use"),
        local_engine.claimed(workspace, UpOptions(dev=False)),
    ):
        pass

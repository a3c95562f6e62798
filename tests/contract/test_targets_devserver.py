"""The development server's own promises, with a small program in the place of the image's root."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from tests.fakes import project as projects
from tests.ports import free_port
from understudy.errors import EnvironmentProblemError
from understudy.image.store import Store
from understudy.sandbox import processes
from understudy.sandbox.model import SandboxSpec
from understudy.targets.devserver import DevServer
from understudy.targets.workspace import Workspace

LISTEN = "import socket, time; print('up'); s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
FAIL = "print('ImportError: no module named shop'); raise SystemExit(1)"


class Program:
    """Plays a process in an image: the same calls, no isolation."""

    def __init__(self, script: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def wait(self, output: Callable[[bytes], None]) -> int:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                output(line)
        status = self.process.wait()
        return status if status >= 0 else 128 - status

    def terminate(self) -> None:
        self.process.terminate()

    def close(self) -> None:
        self.process.wait()


class World:
    """A project, its image, and what the server asked to be run."""

    def __init__(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
        self.workspace = workspace
        self.port = free_port()
        self.asked: list[tuple[SandboxSpec, list[tuple[Path, PurePosixPath]]]] = []
        self.image = projects.image(workspace)
        section = workspace.project.dev_server
        assert section is not None
        self.server = DevServer(workspace.layout, section, port=self.port)

        def run(spec: SandboxSpec, state_dir: Path, *, binds: list[tuple[Path, PurePosixPath]]) -> Program:
            self.asked.append((spec, binds))
            return Program(script.format(port=self.port))

        monkeypatch.setattr(processes, "run_in_image", run)

    def start(self) -> None:
        self.server.start(self.image, Store(self.workspace.layout.store), {"STAGE": "local", "PATH": "/own"})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


def test_serves_the_app_with_the_function_s_variables_until_it_is_stopped(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(workspace, monkeypatch, LISTEN)

    world.start()

    assert world.server.url == f"http://127.0.0.1:{world.port}"
    socket.create_connection(("127.0.0.1", world.port), timeout=60).close()
    [(spec, binds)] = world.asked
    assert spec.entrypoint[:2] == ("python3", "-c")
    assert spec.command == ("shop.app:app", "127.0.0.1", str(world.port), "/")
    assert spec.environment == {"PATH": "/own", "STAGE": "local", "PYTHONDONTWRITEBYTECODE": "1"}
    assert binds == [(workspace.root / "app", PurePosixPath("/"))]

    world.server.stop()
    world.server.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", world.port), timeout=60)
    assert world.server.log_path.read_text() == "up\n"


def test_an_app_that_does_not_start_is_told_with_its_last_words(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(workspace, monkeypatch, FAIL)

    with pytest.raises(EnvironmentProblemError) as caught:
        world.start()

    assert caught.value.code == "devserver-start"
    assert "ImportError: no module named shop" in caught.value.message
    assert "exit status 1" in caught.value.message
    assert "shop.app:app" in caught.value.hint


def test_a_port_in_use_is_told_before_anything_starts(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(workspace, monkeypatch, LISTEN)

    with socket.create_server(("127.0.0.1", world.port)), pytest.raises(EnvironmentProblemError) as caught:
        world.start()

    assert caught.value.code == "port-taken"
    assert f"./understudy up --dev-port {world.port + 1}" in caught.value.hint
    assert world.asked == []

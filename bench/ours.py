"""Understudy: its engine as a process on the scratch project's state, without prewarming."""

import sys
import time
from typing import Any, Self

from bench import processes, requests
from bench.cloud import Cloud
from bench.model import UNDERSTUDY
from bench.processes import Child
from bench.project import ROOT, Project
from bench.wrk import Target
from understudy.engine.config import EngineConfig
from understudy.engine.delegate import install
from understudy.image.store import Store

_READY_WITHIN_S = 30.0
REPOSITORY = "dashboard"


class Understudy:
    """The engine with one function; the scratch project has been deployed before, so ECR holds the image."""

    key = UNDERSTUDY
    title = "understudy"

    def __init__(self, project: Project) -> None:
        self._project = project
        self.port = processes.free_port()
        self._cloud = Cloud(self.port)
        self.digest = Store(project.layout.store).open().tags()["dashboard:latest"]
        settings = EngineConfig(
            data_dir=project.layout.state,
            port=self.port,
            delegate_python=install.python_path(project.layout.cache),
            ready_file=project.folder / "bench-engine.json",
            die_with_parent=True,
            prewarm=False,
        )
        self._ready = settings.ready_path
        self._child = Child(
            [sys.executable, "-m", "understudy.engine", *settings.argv()],
            log=project.folder / "logs" / "engine.log",
            folder=ROOT,
        )
        self.target = Target(url="")

    def __enter__(self) -> Self:
        self._ready.unlink(missing_ok=True)
        self._child.__enter__()
        try:
            self._child.wait_for_port(self.port)
            self._wait_until_ready()
            self.target = self._cloud.deploy(self._image_uri())
        except BaseException:
            self._child.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._child.__exit__()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._ready.exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _image_uri(self) -> str:
        registry = f"000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:{self.port}"
        return f"{registry}/{REPOSITORY}@{self.digest}"

    @property
    def docker_name(self) -> str:
        """The image as `docker pull` takes it."""
        return f"localhost:{self.port}/{REPOSITORY}@{self.digest}"

    def client(self, service: str) -> Any:  # noqa: ANN401 - see Cloud.client
        """A boto3 client of the engine."""
        return self._cloud.client(service)

    def cold(self) -> float:
        """The first request after a configuration change, which ended every environment."""
        self._cloud.renew()
        time.sleep(0.3)
        return requests.first_ok(self.target)

    def resident_mb(self) -> dict[str, float]:
        """Resident memory of the engine, its fork servers and the delegate, without the functions."""
        found: dict[str, float] = {}
        for pid in processes.tree(self._child.pid):
            name = _name(processes.command_line(pid), own=pid == self._child.pid)
            found[name] = found.get(name, 0.0) + processes.resident_mb(pid)
        return found


def _name(command: str, *, own: bool) -> str:
    if own:
        return "engine"
    return "delegate" if "delegate/child.py" in command else "fork server"

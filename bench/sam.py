"""SAM CLI: `sam local start-api` with the same image, its own emulator added by itself.

SAM builds ``REPOSITORY:rapid-ARCHITECTURE`` from a local image and pulls nothing when told so. A warm process
keeps one container (LAZY); a process without warm containers makes one for every request, so every request
is a cold start.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Self

from bench import docker, environments, processes, requests
from bench.cloud import MEMORY_MB, TIMEOUT_S, VARIABLES
from bench.model import SAM
from bench.processes import Child
from bench.wrk import Target

_CONTAINER_GONE_WITHIN_S = 20.0

_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bench:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      ImageUri: {image}
      MemorySize: {memory_mb}
      Timeout: {timeout_s}
      Environment:
        Variables: {variables}
      Events:
        Any:
          Type: HttpApi
          Properties: {{Path: "/{{proxy+}}", Method: ANY}}
"""


def emulator(python: Path) -> Path:
    """The Runtime Interface Emulator that SAM CLI brings, for this machine's architecture."""
    name = "aws-lambda-rie-arm64" if os.uname().machine in ("aarch64", "arm64") else "aws-lambda-rie-x86_64"
    return next(python.parent.parent.glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"))


def install(cache: Path) -> Path:
    """The interpreter of SAM CLI's own environment, made from its lock file on first use."""
    return environments.install(cache, "bench-sam")


class Sam:
    """Two servers: one that keeps its container warm, one that never does."""

    key = SAM
    title = "SAM CLI 1.170 start-api"

    def __init__(self, python: Path, folder: Path, image: str) -> None:
        self._folder = folder
        self._image = image
        self._stack = contextlib.ExitStack()
        warm, cold = processes.free_port(), processes.free_port()
        self._ports = (warm, cold)
        self._sam = python.with_name("sam")
        self.target = Target(url=f"http://127.0.0.1:{warm}/health")
        self._cold_target = Target(url=f"http://127.0.0.1:{cold}/health")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        variables = "{" + ", ".join(f"{name}: {value}" for name, value in VARIABLES.items()) + "}"
        text = _TEMPLATE.format(
            image=self._image, memory_mb=MEMORY_MB, timeout_s=TIMEOUT_S, variables=variables
        )
        (self._folder / "template.yaml").write_text(text, encoding="utf-8")
        with contextlib.ExitStack() as stack:
            for port, options in zip(self._ports, (["--warm-containers", "LAZY"], []), strict=True):
                child = stack.enter_context(self._child(port, options))
                child.wait_for_port(port)
            requests.until_listening(self.target)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cold(self) -> float:
        """A request of the server without warm containers, which makes one for it."""
        before = self._containers()
        seconds = requests.first_ok(self._cold_target)
        deadline = time.monotonic() + _CONTAINER_GONE_WITHIN_S
        while self._containers() - before and time.monotonic() < deadline:
            time.sleep(0.1)
        return seconds

    def _containers(self) -> set[str]:
        listed = docker.docker("ps", "--quiet", "--filter", "label=sam.cli.container.type=lambda")
        return set(listed.split())

    def _child(self, port: int, options: list[str]) -> Child:
        home = self._folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return Child(
            [
                *(str(self._sam), "local", "start-api", "--template", str(self._folder / "template.yaml")),
                *("--host", "127.0.0.1", "--port", str(port), "--skip-pull-image", *options),
            ],
            log=self._folder / f"sam-{port}.log",
            folder=self._folder,
            environment={
                **os.environ,
                "HOME": str(home),
                "TMPDIR": str(home),
                "SAM_CLI_TELEMETRY": "0",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
                "NO_PROXY": "*",
            },
        )

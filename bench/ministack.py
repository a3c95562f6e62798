"""MiniStack with Docker: its Lambda runs image functions in containers, behind its own HTTP APIs."""

import os
import sys
import time
from pathlib import Path
from typing import Self

from bench import environments, processes, requests
from bench.cloud import Cloud
from bench.model import MINISTACK
from bench.processes import Child
from bench.wrk import Target


def install(cache: Path) -> Path:
    """The interpreter of MiniStack's own environment, Docker's client in it."""
    return environments.install(cache, "bench-ministack")


class MiniStack:
    """One MiniStack process with default settings."""

    key = MINISTACK
    title = "MiniStack 1.5.33 + Docker"

    def __init__(self, python: Path, folder: Path, image: str) -> None:
        self._port = processes.free_port()
        self._cloud = Cloud(self._port)
        self._image = image
        folder.mkdir(parents=True, exist_ok=True)
        self._child = Child(
            [str(python), "-m", "ministack"],
            log=folder / "ministack.log",
            folder=folder,
            environment={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "GATEWAY_PORT": str(self._port),
                "MINISTACK_HOST": "localhost",
                "LAMBDA_EXECUTOR": "docker",
                "LOG_LEVEL": "WARNING",
                "SFTP_ENABLED": "0",
                "IOT_MTLS_ENABLED": "0",
            },
        )
        self.target = Target(url="")

    def __enter__(self) -> Self:
        self._child.__enter__()
        try:
            self._child.wait_for_port(self._port)
            self.target = self._cloud.deploy(self._image)
            requests.until_listening(self.target)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._child.__exit__()

    def cold(self) -> float:
        """The first request after a configuration change, which removed every container."""
        self._cloud.renew()
        time.sleep(0.3)
        return requests.first_ok(self.target)

"""Installs the real tools that tests drive: a missing one fails the test, it never skips it."""

import functools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

_PACKAGES = {
    "docker-registry": "docker-registry",
    "skopeo": "skopeo",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "musl-gcc": "musl-tools",
    "wrk": "wrk",
}


# Kept: a Popen collected while its process runs warns, in whichever test the collector happens to run.
_ENGINES: list["subprocess.Popen[bytes]"] = []


@functools.cache
def _updated() -> None:
    subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)


@functools.cache
def require_tool(name: str) -> str:
    """Returns the path of the command `name`, installing its Debian package first when it is missing."""
    found = shutil.which(name)
    if found:
        return found
    assert os.geteuid() == 0, f"{name} is missing: sudo apt-get install {_PACKAGES[name]}"
    _updated()
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", _PACKAGES[name]],
        check=True,
        capture_output=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    found = shutil.which(name)
    assert found, f"{_PACKAGES[name]} was installed and holds no command {name}"
    return found


@functools.cache
def require_docker() -> str:
    """Returns the path of the docker client with an engine behind it, started here when none answers."""
    docker = require_tool("docker")
    if _engine_answers(docker):
        return docker
    dockerd = require_tool("dockerd")
    log = Path(tempfile.mkstemp(prefix="dockerd-", suffix=".log")[1])
    with log.open("wb") as output:
        _ENGINES.append(subprocess.Popen([dockerd], stdout=output, stderr=output, start_new_session=True))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if _engine_answers(docker):
            return docker
        time.sleep(0.2)
    raise AssertionError(f"dockerd did not start:\n{log.read_text()[-2000:]}")


def _engine_answers(docker: str) -> bool:
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0

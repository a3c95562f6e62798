"""Installs the real tools that tests drive: a missing one fails the test, it never skips it."""

import functools
import os
import shutil
import subprocess

_PACKAGES = {
    "docker-registry": "docker-registry",
    "skopeo": "skopeo",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "wrk": "wrk",
}


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

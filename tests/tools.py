"""Installs the real tools that tests drive: a missing one fails the test, it never skips it."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PACKAGES = {
    "docker-registry": "docker-registry",
    "skopeo": "skopeo",
    "docker": "docker.io",
    "docker-compose": "docker-compose",
    "dockerd": "docker.io",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "musl-gcc": "musl-tools",
    "shellcheck": "shellcheck",
    "wrk": "wrk",
    "chromium": "chromium",
}


# Kept: a Popen collected while its process runs warns, in whichever test the collector happens to run.
_ENGINES: list["subprocess.Popen[bytes]"] = []


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keeps the other test processes waiting: apt runs once at a time, and one dockerd is enough."""
    with Path(tempfile.gettempdir(), "understudy-test-tools.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
    with _alone():
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
def require_kubectl() -> str:
    """Returns the path of kubectl, taken from Debian trixie where it is missing: bookworm's is too old."""
    return _command_of_trixie("kubectl")


@functools.cache
def require_oras() -> str:
    """Returns the path of oras, taken from Debian trixie where it is missing: bookworm has none."""
    return _command_of_trixie("oras")


@functools.cache
def require_buildx() -> Path:
    """Returns a folder for DOCKER_CONFIG with Debian trixie's buildx plugin; others do not see it."""
    folder = Path(tempfile.gettempdir()) / "understudy-docker-config"
    plugins = folder / "cli-plugins"
    if not (plugins / "docker-buildx").exists():
        plugins.mkdir(parents=True, exist_ok=True)
        _from_trixie("docker-buildx", "usr/libexec/docker/cli-plugins/docker-buildx", plugins)
    return folder


@functools.cache
def require_compose() -> tuple[str, str]:
    """Returns the command of Compose v2, taken from Debian trixie where it is missing."""
    docker = require_docker()
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode != 0:
        plugins = Path("/usr/local/lib/docker/cli-plugins")
        plugins.mkdir(parents=True, exist_ok=True)
        _from_trixie("docker-compose", "usr/libexec/docker/cli-plugins/docker-compose", plugins)
        subprocess.run([docker, "compose", "version"], capture_output=True, check=True)
    return (docker, "compose")


@functools.cache
def require_compose_v1() -> tuple[str]:
    """Returns the command of docker-compose 1.29, which is bookworm's."""
    require_docker()
    return (require_tool("docker-compose"),)


def _command_of_trixie(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    _from_trixie(name, f"usr/bin/{name}", Path("/usr/local/bin"))
    found = shutil.which(name)
    assert found, f"{name} was copied to /usr/local/bin, which is not in PATH"
    return found


def _from_trixie(package: str, path: str, folder: Path) -> None:
    """Puts one program of a package of Debian trixie into a folder; only for what needs no other package."""
    assert os.geteuid() == 0, f"{package} is missing: install a present one"
    with _alone():
        _updated()  # before it apt knows no codename of its sources
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm"]
    mirror = subprocess.run(targets, check=True, capture_output=True, text=True).stdout.split()[0]
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        root.chmod(0o777)  # apt downloads as its own user
        keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (root / "sources").write_text(f"deb [signed-by={keys}] {mirror} trixie main\n")
        (root / "status").touch()
        for name in ("lists/partial", "cache/archives/partial"):
            (root / name).mkdir(parents=True)
        places = {
            "Etc::SourceList": "sources",
            "Etc::SourceParts": "none",
            "State::Lists": "lists",
            "State::Status": "status",
            "Cache": "cache",
        }
        apt = ["apt-get", "-qq", *(f"-oDir::{name}={root / place}" for name, place in places.items())]
        subprocess.run([*apt, "update"], check=True, capture_output=True)
        subprocess.run([*apt, "download", package], check=True, capture_output=True, cwd=root)
        [archive] = root.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", archive, root / "package"], check=True, capture_output=True)
        program = root / "package" / path
        waiting = folder / f"{program.name}.{os.getpid()}"
        shutil.copy(program, waiting)
        waiting.replace(folder / program.name)


@functools.cache
def require_docker() -> str:
    """Returns the path of the docker client with an engine behind it, started here when none answers."""
    docker = require_tool("docker")
    if _engine_answers(docker):
        return docker
    dockerd = require_tool("dockerd")
    with _alone():
        if not _engine_answers(docker):
            _start_engine(docker, dockerd)
    return docker


def _start_engine(docker: str, dockerd: str) -> None:
    log = Path(tempfile.mkstemp(prefix="dockerd-", suffix=".log")[1])
    with log.open("wb") as output:
        _ENGINES.append(subprocess.Popen([dockerd], stdout=output, stderr=output, start_new_session=True))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if _engine_answers(docker):
            return
        time.sleep(0.2)
    raise AssertionError(f"dockerd did not start:\n{log.read_text()[-2000:]}")


def _engine_answers(docker: str) -> bool:
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


def remove_sandbox_images() -> None:
    """Removes the images that the docker executor loaded, unless somebody uses them."""
    docker = require_docker()
    listed = [docker, "images", "--quiet", "--filter", "label=understudy.sandbox=image"]
    found = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    subprocess.run([docker, "rmi", *found], capture_output=True, check=False)

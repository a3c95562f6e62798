"""MiniStack in a container of the Docker engine, its image functions in containers beside it.

No registry takes part: MiniStack runs on the Python of an image that is in a store already, from packages
that are mounted. Its Lambda speaks to functions through AWS's Runtime Interface Emulator, which AWS's base
images hold and the stand-in does not; it is mounted into them where their entry point looks for it, so that
the image stays what it was, its digest included.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.contract.stack_project import ROOT
from tests.ports import free_port
from tests.tools import require_docker, require_tool

_WITHIN_S = 60.0
_REQUIREMENTS = ROOT / "requirements"


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniStack:
    """One that runs.

    Attributes:
        url: its endpoint.
        network: Docker network of it and of its functions' containers.
    """

    url: str
    network: str

    def functions(self) -> list[dict[str, object]]:
        """The containers of its functions, as `docker inspect` tells them."""
        names = _docker("ps", "--quiet", "--filter", f"network={self.network}").split()
        found: list[dict[str, object]] = json.loads(_docker("inspect", *names)) if names else []
        return [one for one in found if one["Name"] != f"/{self.network}"]


@contextlib.contextmanager
def running(folder: Path, store: Path, image: str, hooks: Path) -> Iterator[MiniStack]:
    """A MiniStack with empty state, and nothing of it afterwards.

    Args:
        folder: for what it is made of.
        store: OCI layout with an image that has Python 3.13.
        image: tag of that image there.
        hooks: folder with `ready.d`.
    """
    require_docker()
    port = free_port()
    name = f"understudy-test-ministack-{port}"
    skopeo = require_tool("skopeo")
    source = ("--insecure-policy", "copy", "--quiet", f"oci:{store}:{image}")
    subprocess.run([skopeo, *source, f"docker-daemon:{name}:latest"], check=True, capture_output=True)
    _docker("network", "create", name)
    try:
        _run(name, port, hooks, packages=_packages(folder), emulator=_emulator(folder))
        _wait(name, f"http://localhost:{port}")
        yield MiniStack(url=f"http://localhost:{port}", network=name)
    finally:
        _remove(name, port)


def _run(name: str, port: int, hooks: Path, *, packages: Path, emulator: Path) -> None:
    environment = {
        # MiniStack tells functions its own address: its name, which only a network of Docker's resolves.
        "AWS_ENDPOINT_URL": f"http://{name}:{port}",
        "LAMBDA_DOCKER_NETWORK": name,
        "LAMBDA_DOCKER_FLAGS": f"-v {emulator}:/usr/local/bin/aws-lambda-rie:ro",
        "LAMBDA_EXECUTOR": "docker",
        "MINISTACK_DOCKER_TIMEOUT": "120",  # it waits for a pull in one call
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PYTHONPATH": "/opt/ministack",
    }
    mounts = {
        "/var/run/docker.sock": "/var/run/docker.sock",
        str(packages): "/opt/ministack:ro",
        str(hooks): "/etc/localstack/init:ro",
    }
    options = ["--detach", "--name", name, "--network", name, "--publish", f"127.0.0.1:{port}:{port}"]
    options += [part for source, target in mounts.items() for part in ("--volume", f"{source}:{target}")]
    options += [part for key, value in environment.items() for part in ("--env", f"{key}={value}")]
    _docker("run", *options, "--entrypoint", "python3", f"{name}:latest", "-m", "ministack")


def _packages(folder: Path) -> Path:
    """MiniStack with Docker's client, for the Python of the image and not for ours."""
    found = folder / "ministack"
    lock = str(_REQUIREMENTS / "bench-ministack.txt")
    _pip(
        "install",
        "--require-hashes",
        "--only-binary=:all:",
        "--python-version",
        "3.13",
        "-t",
        found,
        "-r",
        lock,
    )
    return found


def _emulator(folder: Path) -> Path:
    """The Runtime Interface Emulator as SAM CLI's package brings it."""
    lock = (_REQUIREMENTS / "bench-sam.txt").read_text().split("\naws-sam-cli==")[1]
    wanted = folder / "aws-sam-cli.txt"
    wanted.write_text("aws-sam-cli==" + lock.partition("    # via")[0])
    _pip("download", "--require-hashes", "--dest", folder, "-r", wanted)
    with zipfile.ZipFile(next(folder.glob("aws_sam_cli-*.whl"))) as wheel:
        path = Path(wheel.extract(f"samcli/local/rapid/aws-lambda-rie-{os.uname().machine}", folder))
    path.chmod(0o755)
    return path


def _pip(*arguments: str | Path) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    argv = [sys.executable, "-m", "pip", arguments[0], *quiet, *arguments[1:]]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _wait(name: str, url: str) -> None:
    """Returns once its init hooks have run."""
    deadline = time.monotonic() + _WITHIN_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(f"{url}/_ministack/ready", trust_env=False)
            if answer.status_code == 200:
                assert answer.json()["failed"] == 0, _docker("logs", name)
                return
        assert time.monotonic() < deadline, _docker("logs", name)
        time.sleep(0.1)


def _remove(name: str, port: int) -> None:
    containers = _docker("ps", "--all", "--quiet", "--filter", f"network={name}").split()
    if containers:
        _docker("rm", "--force", "--volumes", *containers)
    _docker("network", "rm", name)
    listed = _docker("images", "--format", "{{.ID}}", "--filter", f"reference=localhost:{port}/*").split()
    _docker("rmi", "--force", f"{name}:latest", *listed)


def _docker(*arguments: str) -> str:
    done = subprocess.run([require_docker(), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout + (done.stderr if arguments[0] == "logs" else "")

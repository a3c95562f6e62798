"""A copy of this repository for Docker Compose: its own names, ports and images, nothing of it afterwards.

No registry takes part. The stand-in base is loaded into the Docker engine; build steps stand on that base
with this machine's certificates added, which is how a user behind a private CA builds too.
"""

import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.contract import base_store
from tests.contract.engine_process import eventually
from tests.contract.stack_project import ROOT
from tests.ports import free_port
from tests.tools import require_compose, require_compose_v1, require_docker
from understudy.targets import docker_load

NAME = "understudy-test-compose"
BASE = f"{NAME}-base"
BUILD = f"{NAME}-build"
ENGINE = f"{NAME}-engine"
API = f"{NAME}-api"
FILES = "docker-compose.yml:deploy/compose.ca.yml"

_PARTS = (
    *("docker-compose.yml", ".env", ".dockerignore", "understudy.yaml", "pyproject.toml"),
    *("service", "deploy", "localstack-init", "src", "requirements", "tests/__init__.py", "tests/e2e"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeProject:
    """One copy.

    Attributes:
        folder: where it lies.
        port: of local AWS on this machine.
        api_port: of the service `api` there.
        name: of the containers' project.
    """

    folder: Path
    port: int
    api_port: int
    name: str = NAME

    @property
    def endpoint(self) -> str:
        """Local AWS."""
        return f"http://localhost:{self.port}"

    def compose(self, *arguments: str, v1: bool = False, ok: bool = True, **more: str) -> str:
        """What a command of Docker Compose prints, both streams.

        Args:
            arguments: of Compose.
            v1: whether docker-compose 1.29 runs it.
            ok: whether it must succeed.
            more: further environment variables.
        """
        argv = [*(require_compose_v1() if v1 else require_compose()), *arguments]
        done = subprocess.run(
            argv, cwd=self.folder, env={**os.environ, **self._environment(), **more},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert not ok or done.returncode == 0, f"{' '.join(argv)}:\n{done.stdout}\n{self._logs()}"
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {
            "API_IMAGE": API,
            "API_PORT": str(self.api_port),
            "BASE_IMAGE": BASE,
            "BUILD_IMAGE": BUILD,
            "CA_BUNDLE": str(_certificates()),
            "COMPOSE_FILE": FILES,
            "COMPOSE_PROJECT_NAME": self.name,
            "ENGINE_IMAGE": ENGINE,
            "LOCALSTACK_DOCKER_NAME": f"{self.name}-localstack",
            "LOCALSTACK_PORT": str(self.port),
        }

    def _logs(self) -> str:
        argv = [*require_compose(), "--profile", "*", "logs", "--no-color", "--tail", "30"]
        environment = {**os.environ, **self._environment()}
        return subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        ).stdout

    def api_url(self) -> str:
        """URL of the HTTP API, as the deploy service says it."""
        words = self.compose("logs", "--no-color", "deploy").split()
        return words[len(words) - words[::-1].index("API")]

    def understudy(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command line on this machine, in the copy."""
        return subprocess.run(
            [sys.executable, "-m", "understudy", *arguments],
            cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def answers(self, url: str, text: str) -> None:
        """Returns once `url` answers 200 with `text` in it."""

        def there() -> bool:
            try:
                answer = httpx.get(url, trust_env=False, timeout=30)
            except httpx.TransportError:
                return False
            return answer.status_code == 200 and text in answer.text

        eventually(there, f"{url} answers with {text}")

    def down(self) -> None:
        """Removes containers, networks and volumes of every arrangement."""
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "20", "--remove-orphans")


def copy(folder: Path) -> ComposeProject:
    """Copies what Compose needs, as a checkout of its own."""
    for name in _PARTS:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    project = ComposeProject(folder=folder, port=free_port(), api_port=free_port())
    described = folder / "understudy.yaml"
    described.write_text(described.read_text().replace("localhost:4566", f"localhost:{project.port}"))
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)
    return project


def load_bases(folder: Path) -> None:
    """Gives the Docker engine the stand-in base, and the one that build steps stand on."""
    store, image = base_store.with_base(folder)
    docker_load.load(store, image, f"{BASE}:latest")
    bundle = _certificates()
    docker(
        *("build", "--quiet", "--tag", BUILD, "--file", str(ROOT / "deploy" / "ca.Dockerfile")),
        *("--build-arg", f"BASE_IMAGE={BASE}", "--build-arg", f"CA_BUNDLE={bundle.name}", str(bundle.parent)),
    )


def unload() -> None:
    """Takes the images away again."""
    names = [f"{name}:latest" for name in (API, ENGINE, BUILD, BASE)]
    subprocess.run([require_docker(), "rmi", "--force", *names], capture_output=True, check=False)


def docker(*arguments: str, ok: bool = True) -> str:
    """What the docker command prints. The classic builder, because the client may lack BuildKit's plugin."""
    done = subprocess.run(
        [require_docker(), *arguments],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ok or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def _certificates() -> Path:
    found = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    assert found, "this machine has no bundle of certificates"
    return Path(found)

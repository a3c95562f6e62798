"""The ``docker`` command, and which of its ways to BuildKit this machine has.

Clients from 23.0 on build through the buildx plugin, which distributions package apart; older ones carry
BuildKit's client themselves. The classic builder is refused: it would make another image.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from understudy.errors import EnvironmentProblemError, UnderstudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_INSTEAD: Final = "or leave --builder docker out: the native builder needs no Docker"
_BUILDX_SINCE: Final = (23, 0)
# Attestations, and the flags that switch them off, came with buildx 0.10.
_ATTESTS_SINCE: Final = (0, 10)
_ASK_S: Final = 30.0
_TAIL_LINES: Final = 60
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")
# What BuildKit prints for a failing step: "Dockerfile:12".
_PLACE: Final = re.compile(r"^Dockerfile:(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """A Docker client with an engine behind it.

    Attributes:
        command: path of the client.
        environment: its environment.
        buildx: version of the buildx plugin; None for the client that builds itself.
    """

    command: str
    environment: Mapping[str, str]
    buildx: tuple[int, int] | None

    def build_command(self) -> list[str]:
        """Returns the start of a build's command line: one image manifest, loaded into the engine.

        The builder is the context's own, because only that one sees the bases that are loaded here.
        """
        if self.buildx is None:
            return [self.command, "build"]
        done = self._ask("context", "show")
        context = done.stdout.strip() if done.returncode == 0 else "default"
        attestations = ["--provenance=false", "--sbom=false"] if self.buildx >= _ATTESTS_SINCE else []
        return [self.command, "buildx", "build", "--builder", context, "--load", *attestations]

    def build(
        self,
        arguments: Sequence[str],
        progress: Callable[[str], object],
        *,
        dockerfile: str,
        unseen: str = "",
    ) -> None:
        """Runs a build; each line that it writes goes to `progress`.

        Args:
            arguments: what follows `build_command`.
            progress: receives the lines.
            dockerfile: how an error names the Dockerfile.
            unseen: words of the Dockerfile that the user did not write, and is not shown.

        Raises:
            UnderstudyError: it failed, with what BuildKit says of it.
        """
        last: deque[str] = deque(maxlen=_TAIL_LINES)
        process = subprocess.Popen(
            [*self.build_command(), "--progress=plain", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**self.environment, "DOCKER_BUILDKIT": "1"},
            text=True,
            errors="replace",
        )
        with _ended(process):
            for line in process.stdout or ():
                shown = line.rstrip().replace(f" {unseen}", "") if unseen else line.rstrip()
                last.append(shown)
                progress(shown)
        if process.returncode:
            text = "\n".join(_summary(list(last)))
            found = _PLACE.findall(text)
            raise UnderstudyError(
                "docker-build-failed",
                f"docker build ended with exit status {process.returncode}:\n{text}",
                hint="correct what it names, or build without --builder docker to compare",
                where=f"{dockerfile}:{found[-1]}" if found else dockerfile,
            )

    def has(self, name: str) -> bool:
        """Whether the engine holds an image of this name."""
        return self._ask("image", "inspect", "--format", "{{.Id}}", "--", name).returncode == 0

    def load(self, write: Callable[[IO[bytes]], None]) -> None:
        """Brings an archive of images into the engine.

        Args:
            write: writes the archive.

        Raises:
            EnvironmentProblemError: the engine refuses it.
        """
        process = subprocess.Popen(
            [self.command, "load", "--quiet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(self.environment),
        )
        with _ended(process):
            # An engine that refuses closes the pipe early, and says why on stderr.
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # type: ignore[union-attr]  # asked for above
                write(pipe)
            text = (process.stderr.read() if process.stderr else b"").decode("utf-8", "replace").strip()
        if process.returncode:
            raise EnvironmentProblemError(
                "docker-load-failed",
                f"the Docker engine does not take the base image: {text[-300:]}",
                hint="docker system df, and free space where it is full",
            )

    def remove(self, name: str) -> None:
        """Forgets the name; what the build cache needs of it stays."""
        self._ask("image", "rm", "--", name)

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run([self.command, *arguments], self.environment)


def find(environment: Mapping[str, str]) -> Docker:
    """Returns the Docker that a user of this environment has.

    Raises:
        EnvironmentProblemError: there is no client, no engine, or no BuildKit.
    """
    command = shutil.which("docker", path=environment.get("PATH"))
    if command is None:
        raise EnvironmentProblemError(
            "docker-missing",
            "docker is not installed, and --builder docker builds with it",
            hint=f"install it (https://docs.docker.com/engine/install/), {_INSTEAD}",
        )
    engine = _run([command, "version", "--format", "{{.Client.Version}} {{.Server.Version}}"], environment)
    if engine.returncode:
        reason = (engine.stderr.strip().splitlines() or ["it does not answer"])[-1]
        denied = "permission denied" in reason.lower()
        start = "sudo usermod -aG docker $USER and log in again" if denied else "sudo systemctl start docker"
        raise EnvironmentProblemError(
            "docker-unreachable",
            f"no Docker engine answers: {reason[:300]}",
            hint=f"{start}, {_INSTEAD}",
            where=environment.get("DOCKER_HOST"),
        )
    plugin = _run([command, "buildx", "version"], environment)
    if plugin.returncode == 0:
        return Docker(command=command, environment=environment, buildx=_version(plugin.stdout, (0, 0)))
    client = engine.stdout.split()[0]
    if _version(client, _BUILDX_SINCE) >= _BUILDX_SINCE:
        raise EnvironmentProblemError(
            "docker-buildx-missing",
            f"docker {client} builds through its plugin buildx, which is not installed",
            hint="sudo apt-get install docker-buildx-plugin (Docker's packages) or docker-buildx (Debian 13, "
            f"Ubuntu), {_INSTEAD}",
        )
    return Docker(command=command, environment=environment, buildx=None)


def _summary(lines: Sequence[str]) -> list[str]:
    """What BuildKit repeats at the end about the step that failed, else all lines."""
    rule = next((number for number, line in enumerate(lines) if line == "------"), 0)
    return [line for line in lines[rule:] if line.strip("-")]


def _version(text: str, otherwise: tuple[int, int]) -> tuple[int, int]:
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2])) if found else otherwise


def _run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_ASK_S, env=dict(environment)
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=str(exc))


@contextlib.contextmanager
def _ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    """Waits for the process at the end of the block, or ends it when the block fails."""
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        with process:
            pass

"""A copy of this repository's project for tests that bring a whole stack up, beside whatever else runs."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
_PARTS = ("service", "deploy", "localstack-init", "understudy.yaml")


def environment() -> dict[str, str]:
    """What the command line of this checkout runs with."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackProject:
    """A project folder with ports of its own."""

    folder: Path
    port: int
    dev_port: int

    def understudy(self, *arguments: str, timeout_s: float = 240) -> "subprocess.CompletedProcess[str]":
        """Runs the command line in the project."""
        return subprocess.run(
            [sys.executable, "-m", "understudy", *arguments],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def up(self, *options: str) -> dict[str, Any]:
        """Brings the stack up in the background and returns what it printed."""
        done = self.understudy(
            *("up", "--detach", "--output", "json", *options),
            *("--port", str(self.port), "--dev-port", str(self.dev_port)),
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def processes(self) -> list[str]:
        """Command lines of all processes that belong to this project or run inside a root of it."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                mounts = (entry / "mountinfo").read_text(errors="replace")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z" and (str(self.folder) in command or str(self.folder) in mounts):
                found.append(f"{entry.name} {command}")
        return found

    def leftovers(self) -> list[str]:
        """Mounts of the host that lie in the project."""
        mounts = Path("/proc/self/mountinfo").read_text()
        return [line for line in mounts.splitlines() if str(self.folder) in line]


def copy(folder: Path) -> StackProject:
    """Copies the project, with the images that this checkout has built already as hard links."""
    folder.mkdir()
    for name in _PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        else:
            shutil.copy2(source, folder / name)
    return beside_built_images(folder)


def beside_built_images(folder: Path) -> StackProject:
    """The project in `folder`, with the images that this checkout has built already as copies."""
    for part in (ROOT / ".understudy" / "store", ROOT / ".understudy" / "cache"):
        if part.is_dir():
            target = folder / ".understudy" / part.name
            target.parent.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", "--reflink=auto", part, target], check=True)
    return StackProject(folder=folder, port=free_port(), dev_port=free_port())

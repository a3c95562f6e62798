"""A scratch copy of this project with state of its own, and the `understudy` command in it."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.errors import UnderstudyError
from understudy.targets.layout import Layout

ROOT = Path(__file__).resolve().parents[1]
_COPIED = ("understudy.yaml", "service", "deploy", "localstack-init")
_EDITED = Path("service/dashboard/health.py")
_EDITED_TEXT = "version=services.settings.version"
_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The copy at `folder`; its image store is kept between runs."""

    folder: Path

    @property
    def layout(self) -> Layout:
        """Where its state lies."""
        return Layout(root=self.folder)

    def prepare(self) -> None:
        """Makes the copy equal to this checkout's files, committed or not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in _COPIED:
            source, target = ROOT / name, self.folder / name
            if source.is_file():
                shutil.copyfile(source, target)
            elif source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))

    def up(self, port: int, dev_port: int, *options: str) -> tuple[float, dict[str, Any]]:
        """Starts the stack; returns how long the command took and what it printed."""
        arguments = ("--detach", f"--port={port}", f"--dev-port={dev_port}", "--output=json", *options)
        started = time.perf_counter()
        text = self.run("up", *arguments)
        return time.perf_counter() - started, json.loads(text)

    def down(self) -> None:
        """Stops the stack."""
        self.run("down")

    def run(self, *arguments: str) -> str:
        """Returns what an understudy command wrote on stdout.

        Raises:
            UnderstudyError: it failed.
        """
        return run([sys.executable, "-m", "understudy", *arguments], self.folder)

    def edit(self, marker: str) -> None:
        """Changes one line of the service, so that its /health shows `marker` for a version.

        Raises:
            UnderstudyError: the line is not there.
        """
        original = (ROOT / _EDITED).read_text(encoding="utf-8")
        if original.count(_EDITED_TEXT) != 1:
            raise UnderstudyError(
                "bench-edit",
                f"{_EDITED} has not exactly one {_EDITED_TEXT!r}",
                hint="name another line in bench/project.py",
            )
        changed = original.replace(_EDITED_TEXT, f'version="{marker}"')
        (self.folder / _EDITED).write_text(changed, encoding="utf-8")

    def restore(self) -> None:
        """Takes the change back."""
        shutil.copyfile(ROOT / _EDITED, self.folder / _EDITED)


def run(argv: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """Returns the stdout of a command that succeeds.

    Raises:
        UnderstudyError: it failed.
    """
    done = subprocess.run(
        argv,
        cwd=folder,
        env=environment or dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise UnderstudyError(
            "bench-command",
            f"{' '.join(argv)} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:].strip()}",
            hint=f"run it by hand in {folder}",
        )
    return done.stdout

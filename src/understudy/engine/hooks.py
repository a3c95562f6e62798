"""Runs the init hooks of ``localstack-init/{boot,start,ready,shutdown}.d``, as LocalStack runs them.

``.sh`` files run with bash, ``.py`` files with the engine's Python, each stage's files in alphabetical order,
subfolders after the files of their folder. A failing script is reported and logged and stops nothing.
See https://docs.localstack.cloud/aws/capabilities/config/initialization-hooks/
"""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from understudy.engine.protocol import DEFAULT_REGION

logger = logging.getLogger(__name__)

_RUNNERS = {".sh": ("bash",), ".py": (sys.executable,)}
_SHOWN_BYTES = 4000


class Stage(Enum):
    """When a hook runs; the value is LocalStack's name of the stage."""

    BOOT = "BOOT"
    START = "START"
    READY = "READY"
    SHUTDOWN = "SHUTDOWN"


class ScriptState(Enum):
    """How a script stands, in LocalStack's words."""

    UNKNOWN = "UNKNOWN"
    RUNNING = "RUNNING"
    SUCCESSFUL = "SUCCESSFUL"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One hook and how it stands."""

    stage: Stage
    path: Path
    state: ScriptState = ScriptState.UNKNOWN

    def document(self) -> dict[str, str]:
        """Returns the script as ``/_localstack/init`` shows it."""
        return {"stage": self.stage.value, "name": self.path.name, "state": self.state.value}


def find_scripts(root: Path, stage: Stage) -> list[Path]:
    """Returns the scripts of a stage in the order in which they run."""
    folder = root / f"{stage.value.lower()}.d"
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        found += [Path(parent, name) for name in sorted(files) if Path(name).suffix in _RUNNERS]
    return found


def environment(endpoint_url: str) -> dict[str, str]:
    """Returns a script's environment: the engine's own, pointed at the engine with dummy credentials."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        "AWS_REGION": DEFAULT_REGION,
        "LOCALSTACK_HOSTNAME": "localhost",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


class Hooks:
    """The hooks of one project; without a folder there are none and every stage completes at once."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._scripts: dict[Path, Script] = {}
        self._completed = dict.fromkeys(Stage, False)
        self._running: set[asyncio.subprocess.Process] = set()

    async def run(self, stage: Stage, environ: Mapping[str, str]) -> None:
        """Runs the scripts of a stage one after the other; returns when the last has ended."""
        paths = find_scripts(self._root, stage) if self._root is not None else []
        for path in paths:
            self._scripts[path] = Script(stage=stage, path=path)
        for path in paths:
            self._scripts[path] = replace(self._scripts[path], state=ScriptState.RUNNING)
            succeeded = await self._run_script(path, environ)
            state = ScriptState.SUCCESSFUL if succeeded else ScriptState.ERROR
            self._scripts[path] = replace(self._scripts[path], state=state)
        self._completed[stage] = True

    async def _run_script(self, path: Path, environ: Mapping[str, str]) -> bool:
        process = await asyncio.create_subprocess_exec(
            *_RUNNERS[path.suffix],
            str(path),
            env=dict(environ),
            cwd=path.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._running.add(process)
        try:
            output, _ = await process.communicate()
        finally:
            self._running.discard(process)
            if process.returncode is None:
                process.kill()
        text = output[-_SHOWN_BYTES:].decode("utf-8", "replace").strip()
        if process.returncode:
            logger.error("hook %s ended with %s: %s", path, process.returncode, text)
        elif text:
            logger.info("hook %s: %s", path, text)
        return process.returncode == 0

    def stop(self) -> None:
        """Ends the script that runs."""
        for process in self._running:
            process.kill()

    def document(self, stage: Stage | None = None) -> dict[str, object]:
        """Returns what ``/_localstack/init`` (or one stage of it) answers."""
        scripts = [script for script in self._scripts.values() if stage in (None, script.stage)]
        completed: object = (
            self._completed[stage] if stage else {each.value: done for each, done in self._completed.items()}
        )
        return {"completed": completed, "scripts": [script.document() for script in scripts]}

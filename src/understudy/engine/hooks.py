"""Runs the init hooks of ``localstack-init/{boot,start,ready,shutdown}.d``, as LocalStack runs them.

``.sh`` files are executed as they are (so they need ``chmod +x`` and a first line), the text of ``.py``
files by the engine's Python, without ``__file__`` and ``__main__``; each stage's files in alphabetical
order, subfolders after the files of their folder. A failing script is reported and logged and stops
nothing. A hook that works here works there: what ``localstack/runtime/init.py`` of localstack-core 4.14.0
does not do is not done here either. See
https://docs.localstack.cloud/aws/capabilities/config/initialization-hooks/
"""

import asyncio
import errno
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from understudy.engine.protocol import DEFAULT_REGION

logger = logging.getLogger(__name__)

_EXECUTE_TEXT = "import sys; exec(open(sys.argv[1], 'rb').read(), {})"
_RUNNERS = {".sh": (), ".py": (sys.executable, "-c", _EXECUTE_TEXT)}
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
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _check_first_line(path: Path) -> None:
    """Raises what the kernel says of a shell script without ``#!``: libuv would hand it to a shell."""
    if not _RUNNERS[path.suffix] and not path.read_bytes().startswith(b"#!"):
        raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))


class Hooks:
    """The hooks of one project; without a folder there are none and every stage completes at once."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._scripts: dict[Path, Script] | None = None
        self._completed = dict.fromkeys(Stage, False)
        self._running: set[asyncio.subprocess.Process] = set()

    async def run(self, stage: Stage, environ: Mapping[str, str]) -> None:
        """Runs the scripts of a stage one after the other; returns when the last has ended."""
        scripts = self._found()
        for path in [path for path, script in scripts.items() if script.stage is stage]:
            scripts[path] = replace(scripts[path], state=ScriptState.RUNNING)
            succeeded = await self._run_script(path, environ)
            state = ScriptState.SUCCESSFUL if succeeded else ScriptState.ERROR
            scripts[path] = replace(scripts[path], state=state)
        self._completed[stage] = True

    def _found(self) -> dict[Path, Script]:
        """The scripts of all stages, looked for once."""
        if self._scripts is None:
            stages = Stage if self._root is not None else ()
            self._scripts = {
                path: Script(stage=stage, path=path)
                for stage in stages
                for path in find_scripts(self._root or Path(), stage)
            }
        return self._scripts

    async def _run_script(self, path: Path, environ: Mapping[str, str]) -> bool:
        try:
            _check_first_line(path)
            process = await asyncio.create_subprocess_exec(
                *_RUNNERS[path.suffix],
                str(path),
                env=dict(environ),
                cwd="/",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        except OSError as exc:
            advice = "chmod +x it, and begin it with #!/bin/bash"
            logger.error("hook %s cannot be executed: %s; %s", path, exc.strerror, advice)  # noqa: TRY400
            return False
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
        scripts = [script for script in self._found().values() if stage in (None, script.stage)]
        completed: object = (
            self._completed[stage] if stage else {each.value: done for each, done in self._completed.items()}
        )
        return {"completed": completed, "scripts": [script.document() for script in scripts]}

"""Makes the delegate's virtual environment, once: hash-locked, under a lock, complete or absent.

It is separate because MiniStack pins botocore exactly. The folder's name carries the lock file's digest and
the interpreter's version, so a new lock makes a new environment and an old engine keeps its own.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import EnvironmentProblemError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_TIMEOUT_S = 600
_MARKER = ".complete"

Progress = Callable[[str], None]


def python_path(cache: Path, requirements: Path = REQUIREMENTS) -> Path:
    """Returns where the delegate's interpreter is, or will be after `install`."""
    lock = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return cache / f"delegate-venv-{version}-{lock}" / "bin" / "python"


def is_installed(cache: Path, requirements: Path = REQUIREMENTS) -> bool:
    """Returns whether `install` has finished for these requirements."""
    return (python_path(cache, requirements).parent.parent / _MARKER).exists()


def install(cache: Path, *, requirements: Path = REQUIREMENTS, progress: Progress = lambda _: None) -> Path:
    """Returns the delegate's interpreter, its environment made first when it is missing.

    Safe to call from several processes: the second waits for the first. An environment whose making was
    interrupted is made again.

    Args:
        cache: folder for environments, shared between projects.
        requirements: the lock file, with hashes.
        progress: receives one line per step, only when there is something to do.

    Raises:
        EnvironmentProblemError: packages could not be fetched or installed.
    """
    python = python_path(cache, requirements)
    venv = python.parent.parent
    if (venv / _MARKER).exists():
        return python
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(venv.with_suffix(".lock")):
        if (venv / _MARKER).exists():
            return python
        shutil.rmtree(venv, ignore_errors=True)
        uv = shutil.which("uv")
        progress(f"making the delegate's environment with {'uv' if uv else 'venv and pip'}")
        for command in _commands(uv, venv, requirements):
            _run(command)
        (venv / _MARKER).touch()
        progress("the delegate's environment is ready")
    return python


def _commands(uv: str | None, venv: Path, requirements: Path) -> list[Sequence[str]]:
    python = str(venv / "bin" / "python")
    locked = ("--require-hashes", "-r", str(requirements))
    if uv:
        return [
            (uv, "venv", "--quiet", "--python", sys.executable, str(venv)),
            (uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *locked),
        ]
    return [
        (sys.executable, "-m", "venv", str(venv)),
        (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *locked),
    ]


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as exc:
        detail = str(getattr(exc, "stderr", None) or exc).strip()
        raise EnvironmentProblemError(
            "delegate-install",
            f"the delegate's environment cannot be made: {detail[-600:]}",
            hint=f"run it by hand: {' '.join(command)}",
            where=command[0],
            retryable=True,
        ) from exc


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

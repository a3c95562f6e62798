"""Virtual environments of the peers: one each from its lock file, because each pins botocore exactly."""

import hashlib
import shutil
import sys
from pathlib import Path

from bench.project import ROOT, run

_MARKER = ".complete"


def install(cache: Path, name: str) -> Path:
    """Returns the interpreter of the environment for ``requirements/NAME.txt``, made on first use.

    Raises:
        UnderstudyError: packages could not be fetched or installed.
    """
    lock = ROOT / "requirements" / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = cache / f"{name}-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    python = folder / "bin" / "python"
    if (folder / _MARKER).exists():
        return python
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(folder)], cache)
    # The lock is complete; pip's resolver fails with hashes where a dependency names extras.
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    run([str(python), "-m", "pip", "install", *quiet, "-r", str(lock)], cache)
    (folder / _MARKER).touch()
    return python

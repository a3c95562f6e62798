"""Small files that are replaced whole: readers, and a crash, see the old content or the new, never a part."""

import os
import tempfile
from pathlib import Path

PREFIX = ".tmp."
"""Name of what a killed writer leaves; collection sweeps it."""


def write(path: Path, data: bytes) -> None:
    """Replaces the content of `path` with `data`, durable across a power cut."""
    fd, name = tempfile.mkstemp(prefix=PREFIX, dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(fd, 0o644)
            os.fsync(fd)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

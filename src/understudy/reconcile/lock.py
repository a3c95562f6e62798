"""A lock file that lets one apply run at a time per target; the kernel frees it when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import UnderstudyError


@contextmanager
def held(path: Path | None) -> Iterator[None]:
    """Holds the lock for the time of the block; None locks nothing.

    Raises:
        UnderstudyError: another process holds it; the message names it.
    """
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            raise UnderstudyError(
                "apply-busy",
                f"process {file.read().strip() or 'unknown'} is applying to the same target",
                hint="wait until it is done, then run the same command again",
                where=str(path),
                retryable=True,
            ) from exc
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield

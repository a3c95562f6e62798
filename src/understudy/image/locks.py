"""Advisory file locks between processes: the kernel drops them when the holder dies, kill -9 included.

Refuses to use lock files whose presence is the lock: those outlive a crash.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path


def try_exclusive(fd: int) -> bool:
    """Whether the open file `fd` is now locked exclusively; never waits."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Holds `path` together with other sharers; waits for an exclusive holder."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds `path` alone; waits for every other holder."""
    with _locked(path, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def exclusive_within(path: Path, wait_s: float) -> Iterator[bool]:
    """Holds `path` alone and yields True, or yields False when others hold it for `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        taken = try_exclusive(fd)
        while not taken and time.monotonic() < deadline:
            time.sleep(0.02)
            taken = try_exclusive(fd)
        yield taken
    finally:
        os.close(fd)


@contextlib.contextmanager
def _locked(path: Path, operation: int) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, operation)
        yield
    finally:
        os.close(fd)

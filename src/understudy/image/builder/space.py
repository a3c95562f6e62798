"""A directory for one step's files on the store's disk, gone when the step ends, or at the next build.

Its owner holds a lock on it: what a killed build left is recognised by the lock that nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.image import locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.image.store import Store


@contextlib.contextmanager
def workspace(store: Store) -> Iterator[Path]:
    """Yields an empty directory of mode 0700; removes it afterwards, and what killed builds left."""
    parent = store.root / "builds"
    parent.mkdir(exist_ok=True)
    with locks.exclusive(store.root / "builds.lock"):
        for left in parent.iterdir():
            _remove_if_left(left)
        space = Path(tempfile.mkdtemp(dir=parent))
        fd = os.open(space, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        locks.try_exclusive(fd)
    try:
        yield space
    finally:
        remove(space)
        os.close(fd)


def remove(folder: Path) -> None:
    """Removes a tree; overlayfs leaves a work directory without permissions, which are granted first."""
    shutil.rmtree(folder, onerror=_granted)


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if locks.try_exclusive(fd):
                remove(folder)
        finally:
            os.close(fd)


def _granted(_function: object, path: str, _: object) -> None:
    place = Path(path)
    with contextlib.suppress(OSError):
        place.parent.chmod(0o700)
        if place.is_dir() and not place.is_symlink():
            place.chmod(0o700)
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink()

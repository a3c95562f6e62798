"""Removes from a step's upper directory what only its mounts put there: empty mount points.

A runner must create the file or directory it mounts over. In a layer that would be an empty
`/etc/resolv.conf` or `/run/understudy`, and a parent directory copied up for nothing.
"""

from __future__ import annotations

import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from understudy.image.builder import tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from understudy.image.builder.tree import Tree

_STANDARD: Final = tuple(
    PurePosixPath(path)
    for path in (
        *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"),
        *("/dev/shm", "/dev/pts", "/dev/mqueue", "/dev", "/proc", "/sys"),  # noqa: S108 a mount point's name
        *("/etc/resolv.conf", "/etc/hosts", "/etc/hostname"),
    )
)


def prune(upper: Path, image: Tree, targets: Iterable[PurePosixPath]) -> None:
    """Removes empty mount points, and the directories that hold nothing else.

    Args:
        upper: the step's upper directory, unmounted.
        image: the layers below.
        targets: where the step had mounts, besides the standard ones.
    """
    wanted = {tree.resolve(image, str(target)) for target in (*targets, *_STANDARD)}
    for path in sorted(wanted, key=lambda item: item.count("/"), reverse=True):
        while path and _removed(upper, image, path):
            path = path.rpartition("/")[0]  # noqa: PLW2901 the walk goes on with the parent


def _removed(upper: Path, image: Tree, path: str) -> bool:
    """Whether nothing (more) of `path` is in the layer."""
    place = upper / path
    try:
        status = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    below = image.node(path)
    if stat.S_ISDIR(status.st_mode):
        with os.scandir(place) as scan:
            is_empty = next(scan, None) is None
        if is_empty and not _is_opaque(place) and (below is None or _same(status, below.status)):
            place.rmdir()
            return True
    elif stat.S_ISREG(status.st_mode) and not status.st_size and below is None:
        place.unlink()
        return True
    return False


def _same(mine: os.stat_result, theirs: os.stat_result) -> bool:
    return (mine.st_mode, mine.st_uid, mine.st_gid) == (theirs.st_mode, theirs.st_uid, theirs.st_gid)


def _is_opaque(place: Path) -> bool:
    for name in os.listxattr(place):
        if name.endswith("overlay.opaque") and os.getxattr(place, name) == b"y":
            return True
    return False

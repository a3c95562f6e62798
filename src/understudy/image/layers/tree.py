"""One directory tree, changed only through open directories: no path of it can lead outside.

The kernel's ``openat2(RESOLVE_IN_ROOT)`` does the same in one call; Python cannot call it, and the tree
belongs to this process alone while it is written, so walking with ``O_NOFOLLOW`` is as strong.
"""

import collections
import os
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from understudy.image.layers import tarformat

Parts = tuple[bytes, ...]

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CACHED = 64
_LINKS_LIMIT = 40
_PATH_LIMIT_BYTES = 4095
_NAME_LIMIT_BYTES = 255
_DEPTH_LIMIT = 255


def split(path: bytes) -> Parts:
    """Returns the components of an archive's path, relative to the root.

    Raises:
        LayerInvalidError: it climbs with ``..``, or is longer than Linux or this program can handle.
    """
    parts = tuple(filter(None, path.split(b"/")))
    if b"." in parts:
        parts = tuple(part for part in parts if part != b".")
    if b".." in parts:
        raise tarformat.invalid("a path climbs out with '..'", path=path)
    if b"\0" in path:
        raise tarformat.invalid("a path holds a zero byte", path=path)
    if len(path) > _NAME_LIMIT_BYTES and (
        len(path) > _PATH_LIMIT_BYTES
        or len(parts) > _DEPTH_LIMIT
        or any(len(part) > _NAME_LIMIT_BYTES for part in parts)
    ):
        raise tarformat.invalid("a path is longer than 4095 bytes, 255 per name, or 255 levels", path=path)
    return parts


class Tree:
    """The directory `root`, open while the context lasts.

    Attributes:
        implicit: directories that `parent` had to make.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fd = -1
        self.implicit: set[Parts] = set()
        self._cache: collections.OrderedDict[Parts, int] = collections.OrderedDict()

    def __enter__(self) -> Self:
        self._fd = os.open(self._root, _OPEN_DIRECTORY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()
        os.close(self._fd)

    def directory(self, parts: Parts) -> int:
        """Returns the open directory at real, link-free `parts`; it stays open for the next few calls.

        Raises:
            NotADirectoryError: something else is there.
            FileNotFoundError: nothing is there.
        """
        if not parts:
            return self._fd
        cached = self._cache.get(parts)
        if cached is not None:
            self._cache.move_to_end(parts)
            return cached
        fd = os.open(parts[-1], _OPEN_DIRECTORY, dir_fd=self.directory(parts[:-1]))
        self._cache[parts] = fd
        # The parent is older in the cache than its child: evicting it cannot close what was just returned.
        while len(self._cache) > _CACHED:
            _, old = self._cache.popitem(last=False)
            os.close(old)
        return fd

    def parent(self, parts: Parts) -> Parts:
        """Returns the real path of the directory that holds `parts`, made where it is missing.

        Symbolic links on the way count from the root of the tree and never leave it.

        Raises:
            LayerInvalidError: a loop of links, or a file where a directory is needed.
        """
        real: list[bytes] = []
        todo = list(reversed(parts[:-1]))
        links = 0
        while todo:
            name = todo.pop()
            if name == b"..":
                del real[-1:]
                continue
            target = self._enter((*real, name), parts)
            if target is None:
                real.append(name)
                if len(real) > _DEPTH_LIMIT:
                    raise tarformat.invalid("a path is too deep", path=b"/".join(parts))
                continue
            links += 1
            if links > _LINKS_LIMIT:
                raise tarformat.invalid("a path runs through a loop of links", path=b"/".join(parts))
            if target.startswith(b"/"):
                real.clear()
            todo += [part for part in reversed(target.split(b"/")) if part not in {b"", b"."}]
        return tuple(real)

    def status(self, parts: Parts) -> os.stat_result | None:
        """Returns what is at `parts`, links not followed, None when nothing is."""
        if not parts:
            return os.fstat(self._fd)
        try:
            return os.stat(parts[-1], dir_fd=self.directory(parts[:-1]), follow_symlinks=False)
        except FileNotFoundError:
            return None

    def remove(self, parts: Parts) -> None:
        """Removes what is at `parts`, with everything below."""
        folder, name = self.directory(parts[:-1]), parts[-1]
        status = self.status(parts)
        if status is None:
            return
        if stat.S_ISDIR(status.st_mode):
            self.forget()
            self.implicit = {made for made in self.implicit if made[: len(parts)] != parts}
            shutil.rmtree(os.fsdecode(name), dir_fd=self.directory(parts[:-1]))
        else:
            os.unlink(name, dir_fd=folder)

    def forget(self) -> None:
        """Closes the directories kept open: after a removal they may be no part of the tree any more."""
        for fd in self._cache.values():
            os.close(fd)
        self._cache.clear()

    def _enter(self, real: Parts, asked: Parts) -> bytes | None:
        """Makes sure that `real` is a directory, or returns where the symbolic link there points."""
        if real in self._cache:
            return None
        status = self.status(real)
        if status is None:
            os.mkdir(real[-1], 0o755, dir_fd=self.directory(real[:-1]))
            self.implicit.add(real)
        elif stat.S_ISLNK(status.st_mode):
            return os.readlink(real[-1], dir_fd=self.directory(real[:-1]))
        elif not stat.S_ISDIR(status.st_mode):
            raise tarformat.invalid("a path runs through a file", path=b"/".join(asked))
        return None

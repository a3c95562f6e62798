"""Trees of files to copy from: a directory of this machine, or the layers of an image.

One interface for both, so that COPY has one meaning. A tree never follows a link out of its root.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from understudy.image.layers import Kind, diff, ownership

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from understudy.image.dockerfile.dockerignore import Dockerignore

_LINKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One path of a tree.

    Attributes:
        path: relative to the tree's root, empty for the root.
        place: where it lies on this machine; None for a directory that is only implied.
        status: of `place`.
    """

    path: str
    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    place: Path
    status: os.stat_result

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def link(self) -> str:
        """Where a symlink points."""
        return str(self.place.readlink())


class Tree(Protocol):
    """Files by path."""

    def node(self, path: str) -> Node | None:
        """Returns what is at `path`, links not followed; None when there is nothing."""

    def names(self, path: str) -> list[str]:
        """Returns the sorted names in the directory at `path`."""


class HostTree:
    """A directory of this machine, without what a `.dockerignore` leaves out; all files belong to root."""

    def __init__(self, root: Path, ignore: Dockerignore) -> None:
        self._root = root
        self._ignore = ignore

    def node(self, path: str) -> Node | None:
        """Returns what is at `path`, links not followed; None when there is nothing or it is ignored."""
        place = self._root / path
        try:
            status = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        is_folder = stat.S_ISDIR(status.st_mode)
        if path and self._ignore.excludes(path) and not (is_folder and not self._ignore.prunes(path)):
            return None
        return Node(
            path=path,
            kind=_kind(status.st_mode),
            mode=stat.S_IMODE(status.st_mode),
            place=place,
            status=status,
        )

    def names(self, path: str) -> list[str]:
        """Returns the sorted names in the directory at `path`, ignored ones too."""
        with os.scandir(self._root / path) as scan:
            return sorted(item.name for item in scan)


class LayersTree:
    """The merged view of extracted layers, as overlayfs would show it."""

    def __init__(self, layers: Sequence[Path]) -> None:
        self._layers = tuple(reversed(layers))

    def node(self, path: str) -> Node | None:
        """Returns what is at `path`, links not followed; None when there is nothing."""
        visible = self._visible(path)
        if not visible:
            return None
        place = visible[0]
        status = place.lstat()
        mode = stat.S_IMODE(status.st_mode)
        uid, gid = diff.invoking_user_is_root(status.st_uid, status.st_gid)
        kept = ownership.restore(_attribute(place, ownership.XATTR), mode)
        if kept is not None:
            mode, uid, gid = kept.mode, kept.uid, kept.gid
        return Node(
            path=path, kind=_kind(status.st_mode), mode=mode, uid=uid, gid=gid, place=place, status=status
        )

    def names(self, path: str) -> list[str]:
        """Returns the sorted names in the directory at `path`."""
        found: dict[str, bool] = {}
        for folder in self._visible(path):
            with os.scandir(folder) as scan:
                for item in scan:
                    found.setdefault(item.name, not _is_whiteout(folder / item.name))
        return sorted(name for name, there in found.items() if there)

    def _visible(self, path: str) -> list[Path]:
        """Returns the places that make up `path`, topmost first; several only for a directory."""
        folders = [layer for layer in self._layers if layer.is_dir()]
        for part in filter(None, path.split("/")):
            folders = _below(folders, part)
            if not folders:
                return []
        return folders


def resolve(tree: Tree, path: str, *, follow_last: bool = True) -> str:
    """Returns `path` with links followed inside the tree's root; missing parts stay as they are.

    Raises:
        OSError: links go round in circles.
    """
    pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            done = done[:-1]
            continue
        current = "/".join((*done, part))
        node = tree.node(current)
        if node is None or node.kind is not Kind.SYMLINK or (not pending and not follow_last):
            done.append(part)
            continue
        links += 1
        if links > _LINKS:
            raise OSError(f"{path} holds links that go round in circles")
        target = node.link
        if target.startswith("/"):
            done = []
        pending.extend(item for item in reversed(target.split("/")) if item not in ("", "."))
    return "/".join(done)


def walk(tree: Tree, path: str) -> Iterator[Node]:
    """Yields what is below the directory at `path`, parents before children."""
    for name in tree.names(path):
        node = tree.node(f"{path}/{name}" if path else name)
        if node is None:
            continue
        yield node
        if node.kind is Kind.DIR:
            yield from walk(tree, node.path)


def _below(folders: list[Path], part: str) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        place = folder / part
        try:
            status = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            if _is_opaque(folder):
                break
            continue
        if _is_whiteout(place):
            break
        is_folder = stat.S_ISDIR(status.st_mode)
        if found and not is_folder:
            break
        found.append(place)
        if not is_folder or _is_opaque(place) or _is_opaque(folder):
            break
    return found


def _kind(mode: int) -> Kind:
    if stat.S_ISDIR(mode):
        return Kind.DIR
    if stat.S_ISLNK(mode):
        return Kind.SYMLINK
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISFIFO(mode):
        return Kind.FIFO
    return Kind.CHAR if stat.S_ISCHR(mode) else Kind.BLOCK


def _attribute(place: Path, name: str) -> bytes:
    try:
        return os.getxattr(place, name, follow_symlinks=False)
    except OSError:
        return b""


def _is_whiteout(place: Path) -> bool:
    status = place.lstat()
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev == 0
    if not stat.S_ISREG(status.st_mode) or status.st_size:
        return False
    return any(name.endswith("overlay.whiteout") for name in os.listxattr(place, follow_symlinks=False))


def _is_opaque(folder: Path) -> bool:
    return any(_attribute(folder, f"{name}.overlay.opaque") == b"y" for name in ("trusted", "user"))

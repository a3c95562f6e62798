"""Reads single files of an image from its unpacked layers, as the mounted root would show them.

Symbolic links are followed inside the image: an absolute one must not lead to a file of this machine.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from understudy.image.rootfs import Rootfs

_LINKS_AT_MOST = 40
_TEXT_AT_MOST = 1 << 20
_VERSION = re.compile(r"python3\.\d+t?\Z")


class RootfsView:
    """The layers of an image, the uppermost first."""

    def __init__(self, rootfs: Rootfs) -> None:
        self._layers = tuple(reversed(rootfs.layers))

    def resolve(self, path: str) -> str | None:
        """Where `path` leads to inside the image; `None` when it is not there."""
        pending = [part for part in path.split("/") if part][::-1]
        done = "/"
        links = 0
        while pending:
            part = pending.pop()
            if part in {".", ".."}:
                done = posixpath.dirname(done) if part == ".." else done
                continue
            found = self._node(posixpath.join(done, part))
            if found is None:
                return None
            if not stat.S_ISLNK(found[1].st_mode):
                done = posixpath.join(done, part)
                continue
            links += 1
            if links > _LINKS_AT_MOST:
                return None
            target = os.readlink(found[0])  # noqa: PTH115 - the text of the link, not a Path
            done = "/" if target.startswith("/") else done
            pending.extend(part for part in target.split("/")[::-1] if part)
        return done

    def text(self, path: str) -> str | None:
        """The text of the file at `path`; `None` when there is none, or too much of it."""
        real = self.resolve(path)
        found = self._node(real) if real is not None else None
        if found is None or not stat.S_ISREG(found[1].st_mode) or found[1].st_size > _TEXT_AT_MOST:
            return None
        return found[0].read_text(encoding="utf-8", errors="replace")

    def names(self, path: str) -> list[str]:
        """Names in the directory at `path`, sorted."""
        real = self.resolve(path)
        if real is None:
            return []
        found: set[str] = set()
        for layer in self._layers:
            folder = layer / real.lstrip("/")
            if folder.is_dir() and not folder.is_symlink():
                found.update(os.listdir(folder))  # noqa: PTH208 - names, not paths
        return sorted(name for name in found if self._node(posixpath.join(real, name)) is not None)

    def files(self, path: str) -> list[str]:
        """Paths of the regular files in the directory at `path`, links followed, sorted."""
        found = []
        for name in self.names(path):
            real = self.resolve(f"{path}/{name}")
            node = self._node(real) if real is not None else None
            if node is not None and stat.S_ISREG(node[1].st_mode):
                found.append(f"{path}/{name}")
        return found

    def _node(self, path: str) -> tuple[Path, os.stat_result] | None:
        """The node at exactly `path` in the uppermost layer that has it; a whiteout hides those below."""
        for layer in self._layers:
            place = layer / path.lstrip("/")
            try:
                status = place.lstat()
            except OSError:
                if self._covered(layer, path):
                    return None
                continue
            hidden = stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
            return None if hidden else (place, status)
        return None

    @staticmethod
    def _covered(layer: Path, path: str) -> bool:
        """Whether a parent of `path` is a file, a link or a whiteout in this layer."""
        for parent in reversed((layer / path.lstrip("/")).parents):
            if parent == layer or layer not in parent.parents:
                continue
            try:
                if not stat.S_ISDIR(parent.lstat().st_mode):
                    return True
            except OSError:
                return False
        return False


def standard_libraries(view: RootfsView, entrypoint: Sequence[str]) -> list[str]:
    """The standard libraries of the Pythons that the entrypoint may start."""
    found = []
    for prefix in dict.fromkeys(_prefixes(view, entrypoint)):
        for folder in (f"{prefix}/lib", f"{prefix}/lib64"):
            for name in filter(_VERSION.match, view.names(folder)):
                real = view.resolve(f"{folder}/{name}/encodings")
                if real is not None:
                    found.append(posixpath.dirname(real))
    return list(dict.fromkeys(found))


def _prefixes(view: RootfsView, entrypoint: Sequence[str]) -> Iterator[str]:
    if entrypoint and entrypoint[0].startswith("/"):
        real = view.resolve(entrypoint[0])
        if real is not None:
            yield posixpath.dirname(posixpath.dirname(real))
    yield from ("/var/lang", "/usr/local", "/usr")
    yield from (f"/opt/{name}" for name in view.names("/opt"))

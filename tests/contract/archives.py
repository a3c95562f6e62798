"""Builds archives that no builder would, and looks at directories from outside."""

import gzip
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from understudy.image.layers import Kind, tarformat
from understudy.image.layers.tarformat import Member


def member(path: str, kind: Kind = Kind.FILE, **fields: Any) -> tuple[Member, bytes]:
    """Returns a header and its content."""
    data = fields.pop("data", b"")
    assert isinstance(data, bytes)
    link = os.fsencode(str(fields.pop("link", "")))
    name, size = os.fsencode(path), len(data)
    item = Member(path=name, kind=kind, size_bytes=size, link=link, **fields)
    return item, data


def archive(members: Iterable[tuple[Member, bytes]], *, packed: bool = True) -> bytes:
    """Returns a layer with exactly these members, however hostile."""
    raw = b"".join(tarformat.header(item) + data + tarformat.padding(len(data)) for item, data in members)
    raw += bytes(1024)
    return gzip.compress(raw, mtime=0) if packed else raw


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Returns everything that can be seen of a tree: types, modes, owners, links, times and content."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        for name in (".", *folders, *files):
            path = Path(folder) / name
            status = path.lstat()
            content: object = None
            if stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            elif stat.S_ISLNK(status.st_mode):
                content = str(path.readlink())
            found[str(path.relative_to(root))] = (
                status.st_mode,
                status.st_uid,
                status.st_gid,
                status.st_nlink,
                status.st_mtime_ns,
                content,
            )
    return found

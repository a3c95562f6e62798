"""Writes layers: the same files give the same bytes, on every machine and in every folder.

Names are sorted, owners, modes and mtimes explicit; one pass computes diff_id and digest while the compressed
stream flows into the store. When a source file's mtime moves, the timestamp ``.pyc`` that belongs to it moves
along; otherwise Python would compile every module again at each cold start, on a read-only root.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image.layers import diff, entries, pyc, tarformat
from understudy.image.layers.entries import Entry, opaque, whiteout
from understudy.image.layers.gzipstream import GzipWriter
from understudy.image.layers.tarformat import Kind, Member
from understudy.image.model import OCI_LAYER_GZIP, Descriptor
from understudy.image.store import Store

__all__ = ["Entry", "FileChangedError", "Kind", "opaque", "whiteout", "write_layer"]

_READ_BYTES = 1 << 20
_PYC_LIMIT_BYTES = 64 << 20
_NS = 1_000_000_000


class FileChangedError(UnderstudyError):
    """A file changed its length while it was read into a layer."""


def write_layer(store: Store, content: Iterable[Entry] | Path, *, epoch: int) -> tuple[Descriptor, str]:
    """Stores a layer and returns its descriptor and diff_id.

    Args:
        store: receives the gzip blob.
        content: the entries in any order (of two with one path the later counts), or the upper directory of
            an overlay mount, read with `diff.overlay_entries`.
        epoch: mtime of every entry that has none of its own.

    Raises:
        FileChangedError: a file was edited meanwhile.
        LayerInvalidError: a name cannot be expressed in a layer.
        ValueError: an entry's path is absolute, empty or holds ``..``.
    """
    if isinstance(content, Path):
        content = diff.overlay_entries(content, epoch=epoch)
    by_path = {_checked(entry).path: entry for entry in content}
    with store.writer() as writer:
        with GzipWriter(writer.write) as packer:
            for path in sorted(by_path, key=entries.order):
                _check_link(by_path[path], by_path)
                for part in _parts(by_path[path], by_path, epoch):
                    packer.write(part)
            packer.write(bytes(2 * tarformat.BLOCK_BYTES))
        size_bytes = writer.offset
        digest = writer.commit()
    return Descriptor(media_type=OCI_LAYER_GZIP, digest=digest, size_bytes=size_bytes), packer.diff_id


def _checked(entry: Entry) -> Entry:
    parts = entry.path.split("/")
    if not all(parts) or "." in parts or ".." in parts or "\0" in entry.path:
        raise ValueError(f"layer entry {entry.path!r} is no relative, normal path")
    return entry


def _check_link(entry: Entry, by_path: Mapping[str, Entry]) -> None:
    if entry.kind is not Kind.HARDLINK:
        return
    if entry.target not in by_path or entries.order(entry.target) >= entries.order(entry.path):
        raise ValueError(f"hard link {entry.path!r} does not follow its target {entry.target!r} in the layer")


def _parts(entry: Entry, by_path: Mapping[str, Entry], epoch: int) -> Iterator[bytes]:
    if entry.kind is not Kind.FILE:
        yield tarformat.header(_member(entry, 0, epoch))
    elif entry.source is None:
        yield tarformat.header(_member(entry, len(entry.data), epoch)) + entry.data
        yield tarformat.padding(len(entry.data))
    else:
        yield from _file(entry, entry.source, by_path, epoch)


def _file(entry: Entry, source: Path, by_path: Mapping[str, Entry], epoch: int) -> Iterator[bytes]:
    fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        rest = size_bytes = os.fstat(fd).st_size
        yield tarformat.header(_member(entry, size_bytes, epoch))
        if rest and entry.path.endswith(".pyc"):
            head = os.read(fd, pyc.HEADER_BYTES)
            rest -= len(head)
            yield _retimed(head, entry, by_path, epoch)
        while rest:
            data = os.read(fd, min(rest, _READ_BYTES))
            if not data:
                raise _changed(source)
            rest -= len(data)
            yield data
        if os.read(fd, 1):
            raise _changed(source)
        yield tarformat.padding(size_bytes)
    finally:
        os.close(fd)


def _retimed(head: bytes, entry: Entry, by_path: Mapping[str, Entry], epoch: int) -> bytes:
    owner = by_path.get(pyc.source_of(entry.path) or "")
    if owner is None or owner.source is None or owner.kind is not Kind.FILE:
        return head
    status = owner.source.stat()
    return pyc.retimed(
        head,
        recorded_s=status.st_mtime_ns // _NS,
        size_bytes=status.st_size,
        new_s=_mtime_s(owner, epoch),
    )


def _mtime_s(entry: Entry, epoch: int) -> int:
    return epoch if entry.mtime_s is None else entry.mtime_s


def _member(entry: Entry, size_bytes: int, epoch: int) -> Member:
    return Member(
        path=os.fsencode(entry.path),
        kind=entry.kind,
        mode=entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        size_bytes=size_bytes,
        mtime_ns=_mtime_s(entry, epoch) * _NS,
        link=os.fsencode(entry.target),
        device=entry.device,
        xattrs=entry.xattrs,
    )


def _changed(source: Path) -> FileChangedError:
    return FileChangedError(
        "file-changed",
        f"file {source} changed while it was read",
        hint="run the command again when nothing writes to it",
        where=str(source),
        retryable=True,
    )

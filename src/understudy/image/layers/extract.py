"""Unpacks layers that a stranger may have made: nothing outside the target directory changes, ever.

Every step is relative to an open directory and follows no link (`tree`); absolute names count as relative,
``..`` in a name is refused. Device nodes and pipes are never created; in a layer for an overlay they become
whiteouts, so that they hide what they would have hidden. Overlay attributes in an archive are dropped: they
could point into other layers. Set-user-id bits are kept, so `rootfs` closes its directory to other users.

A hard link's target must be in the same layer, and a symbolic link of a *lower* layer is not followed: each
layer is unpacked alone. Builders that work on overlay mounts, BuildKit included, never need either.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image.layers import metadata, tarformat, tree
from understudy.image.layers.gzipstream import LayerReader
from understudy.image.layers.tarformat import Kind, Member
from understudy.image.layers.tree import Parts, Tree
from understudy.image.store import DigestMismatchError

DEFAULT_LIMIT_BYTES = 16 << 30
"""Above the 10 GB that Lambda allows a whole image, uncompressed (lambda-contract.md)."""

_ENTRIES_LIMIT = 4_000_000
_CHUNK_BYTES = 1 << 20
_WHITEOUT = b".wh."
_WHITEOUT_META = b".wh..wh."
_OPAQUE = b".wh..wh..opq"
_SKIPPED_SHOWN = 100
_LAYER_FAULTS = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EMLINK, errno.EINVAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractReport:
    """What was unpacked; `skipped` names the first device nodes and pipes that were not."""

    diff_id: str
    entries: int
    size_bytes: int
    skipped: tuple[str, ...] = ()


def extract_layer(
    stream: BinaryIO,
    target: Path,
    *,
    overlay_whiteouts: bool,
    diff_id: str | None = None,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
) -> ExtractReport:
    """Unpacks a layer, gzip or plain, into the existing directory `target`.

    Args:
        stream: the layer as stored.
        target: belongs to this call alone while it runs.
        overlay_whiteouts: keep deletions as overlay whiteouts; otherwise delete in `target`, where the layers
            below were unpacked before.
        diff_id: what the uncompressed bytes must hash to; compared at the end, when `target` is already
            written: the caller discards it on error.
        limit_bytes: uncompressed bytes to accept.

    Raises:
        LayerInvalidError: the archive is damaged or hostile.
        DigestMismatchError: it is another layer than `diff_id`.
        MediaTypeUnsupportedError: it is compressed with zstd.
        EnvironmentProblemError: the disk is full or not writable.
    """
    reader = LayerReader(stream, limit_bytes=limit_bytes)
    with Tree(target) as root:
        extractor = _Overlay(root, reader) if overlay_whiteouts else _Merge(root, reader)
        extractor.run()
    reader.drain()
    if diff_id is not None and reader.diff_id != diff_id:
        raise DigestMismatchError(
            "diff-id-mismatch",
            f"layer unpacks to {reader.diff_id}, the image config says {diff_id}",
            hint="build and push the image again: its config and layers do not belong together",
        )
    return ExtractReport(
        diff_id=reader.diff_id,
        entries=extractor.count,
        size_bytes=reader.size_bytes,
        skipped=tuple(extractor.skipped),
    )


class _Extractor:
    """Places members; what deletions and device nodes mean is the subclass's."""

    def __init__(self, root: Tree, reader: LayerReader) -> None:
        self.count = 0
        self.skipped: list[str] = []
        self._tree = root
        self._reader = reader
        self._writer = metadata.Writer()
        self._folders: dict[Parts, Member] = {}

    def run(self) -> None:
        for member in tarformat.members(self._reader):
            self.count += 1
            if self.count > _ENTRIES_LIMIT:
                raise tarformat.invalid(f"it has more than {_ENTRIES_LIMIT} entries")
            with _named(member.path):
                self._place(member)
        for parts in self._tree.implicit:
            self._folders.setdefault(parts, Member(path=b"", kind=Kind.DIR, mode=0o755))
        for parts in sorted(self._folders, key=len, reverse=True):
            with _named(self._folders[parts].path):
                self._writer.apply(self._tree.directory(parts), self._folders[parts])

    def deleted(self, parts: Parts) -> None:
        """A whiteout for `parts`."""
        raise NotImplementedError

    def emptied(self, folder: Parts) -> None:
        """An opaque marker in `folder`."""
        raise NotImplementedError

    def hidden(self, parts: Parts) -> None:
        """A device node or pipe at `parts`, which is not created."""
        raise NotImplementedError

    def placed(self, parts: Parts, *, over: bool) -> None:
        """The layer has something at `parts`; `over` says that it took the place of something else."""
        raise NotImplementedError

    def _place(self, member: Member) -> None:
        parts = tree.split(member.path)
        if not parts:
            if member.kind is Kind.DIR:
                self._folders[()] = member
            self._skip(member.size_bytes)
            return
        name = parts[-1]
        parent = self._tree.parent(parts)
        real = (*parent, name)
        if name.startswith(_WHITEOUT):
            self._skip(member.size_bytes)
            self._whiteout(parent, name)
        elif member.kind is Kind.FILE:
            self._file(real, member)
        elif member.kind is Kind.DIR:
            self._folder(real, member)
        elif member.kind is Kind.SYMLINK:
            self._symlink(real, member)
        elif member.kind is Kind.HARDLINK:
            self._hardlink(real, member)
        else:
            if len(self.skipped) < _SKIPPED_SHOWN:
                self.skipped.append(member.path.decode("utf-8", "replace"))
            self._remove(real)
            self.hidden(real)

    def _whiteout(self, parent: Parts, name: bytes) -> None:
        if name == _OPAQUE:
            self.emptied(parent)
        elif not name.startswith(_WHITEOUT_META):
            victim = name.removeprefix(_WHITEOUT)
            if victim in {b"", b".", b".."}:
                raise tarformat.invalid("a whiteout names no file", path=name)
            self.deleted((*parent, victim))

    def _file(self, real: Parts, member: Member) -> None:
        over = self._remove(real)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(real[-1], flags, 0o600, dir_fd=self._tree.directory(real[:-1]))
        try:
            for chunk in self._content(member.size_bytes):
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(fd, rest) :]
            self._writer.apply(fd, member)
        finally:
            os.close(fd)
        self.placed(real, over=over)

    def _folder(self, real: Parts, member: Member) -> None:
        status = self._tree.status(real)
        over = status is not None and not stat.S_ISDIR(status.st_mode)
        if over:
            self._remove(real)
        if status is None or over:
            os.mkdir(real[-1], 0o755, dir_fd=self._tree.directory(real[:-1]))
        self.placed(real, over=over)
        self._folders[real] = member

    def _symlink(self, real: Parts, member: Member) -> None:
        if not member.link or b"\0" in member.link:
            raise tarformat.invalid("a symbolic link has no usable target", path=member.path)
        over = self._remove(real)
        folder = self._tree.directory(real[:-1])
        os.symlink(member.link, real[-1], dir_fd=folder)
        self._writer.apply_link(real[-1], folder, member)
        self.placed(real, over=over)

    def _hardlink(self, real: Parts, member: Member) -> None:
        wanted = tree.split(member.link)
        source = (*self._tree.parent(wanted), wanted[-1]) if wanted else ()
        if source == real:
            return
        over = self._remove(real)
        status = self._tree.status(source)
        if status is None or stat.S_ISDIR(status.st_mode):
            raise tarformat.invalid("a hard link's target is no file of this layer", path=member.path)
        os.link(
            source[-1],
            real[-1],
            src_dir_fd=self._tree.directory(source[:-1]),
            dst_dir_fd=self._tree.directory(real[:-1]),
            follow_symlinks=False,
        )
        self.placed(real, over=over)

    def _remove(self, real: Parts) -> bool:
        """Makes room at `real`; whether there was something."""
        status = self._tree.status(real)
        if status is None:
            return False
        self._tree.remove(real)
        if stat.S_ISDIR(status.st_mode):
            self._folders = {key: value for key, value in self._folders.items() if key[: len(real)] != real}
        return True

    def _content(self, size_bytes: int) -> Iterator[bytes]:
        rest = size_bytes
        while rest:
            chunk = self._reader.read_some(min(rest, _CHUNK_BYTES))
            if not chunk:
                raise tarformat.invalid("it ends inside a file")
            rest -= len(chunk)
            yield chunk
        self._reader.read_exact(len(tarformat.padding(size_bytes)))

    def _skip(self, size_bytes: int) -> None:
        for _ in self._content(size_bytes):
            pass


class _Overlay(_Extractor):
    """Deletions stay visible as whiteouts and opaque directories, for overlayfs to apply."""

    def deleted(self, parts: Parts) -> None:
        status = self._tree.status(parts)
        if status is None:
            self._writer.whiteout(parts[-1], self._tree.directory(parts[:-1]))
        elif stat.S_ISDIR(status.st_mode):
            self.emptied(parts)

    def emptied(self, folder: Parts) -> None:
        self._writer.opaque(self._tree.directory(folder))

    def hidden(self, parts: Parts) -> None:
        self._writer.whiteout(parts[-1], self._tree.directory(parts[:-1]))

    def placed(self, parts: Parts, *, over: bool) -> None:
        # A directory that replaced a whiteout or a file must not show the lower layers' directory.
        if over and self._is_folder(parts):
            self.emptied(parts)

    def _is_folder(self, parts: Parts) -> bool:
        status = self._tree.status(parts)
        return status is not None and stat.S_ISDIR(status.st_mode)


class _Merge(_Extractor):
    """Deletions are done at once, but never to what the same layer brought (OCI layer.md, "Whiteouts")."""

    def __init__(self, root: Tree, reader: LayerReader) -> None:
        super().__init__(root, reader)
        self._own: set[Parts] = set()

    def deleted(self, parts: Parts) -> None:
        if parts in self._own:
            self.emptied(parts)
        else:
            self._remove(parts)

    def emptied(self, folder: Parts) -> None:
        status = self._tree.status(folder)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return
        with os.scandir(self._tree.directory(folder)) as scan:
            names = [os.fsencode(item.name) for item in scan]
        for name in names:
            self.deleted((*folder, name))

    def hidden(self, parts: Parts) -> None:
        """Nothing takes its place."""

    def placed(self, parts: Parts, *, over: bool) -> None:  # noqa: ARG002 - part of the protocol
        self._own.update(parts[:length] for length in range(1, len(parts) + 1))


@contextlib.contextmanager
def _named(path: bytes) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in _LAYER_FAULTS:
            raise tarformat.invalid(f"the file system refuses it ({exc.strerror})", path=path) from exc
        raise _environment(exc, path) from exc


def _environment(exc: OSError, path: bytes) -> UnderstudyError:
    full = exc.errno in {errno.ENOSPC, errno.EDQUOT}
    return EnvironmentProblemError(
        "disk-full" if full else "store-unwritable",
        f"unpacking a layer failed: {exc.strerror}",
        hint="free some disk space: rm -rf .understudy/store/layers"
        if full
        else "chown -R $USER .understudy",
        where=path[:300].decode("utf-8", "replace"),
    )

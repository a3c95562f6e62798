"""Writes one blob into a store: streaming, hashed on the way, visible only when complete.

Bytes land in ``uploads/ID`` under an exclusive lock and are renamed to ``blobs/sha256/HEX`` by `commit`; a
process that dies in between leaves an upload that can be resumed or is swept later, never half a blob.
"""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from understudy.errors import UnderstudyError
from understudy.image import digests, locks

_CHUNK_BYTES = 1 << 20
_BUFFER_BYTES = 256 * 1024


class BlobMissingError(UnderstudyError):
    """A digest is not in the store."""


class DigestMismatchError(UnderstudyError):
    """Bytes do not have the digest they were announced with."""


class UploadBusyError(UnderstudyError):
    """Another process writes the same upload at this moment."""


class BlobWriter:
    """Appends to one upload; `commit` turns it into a blob.

    As a context manager it aborts what was not committed, unless the upload is resumable: that one stays.

    Attributes:
        upload_id: the name under which another process can go on.
        offset: bytes received so far, over all processes.
    """

    def __init__(self, root: Path, upload_id: str, *, resumable: bool) -> None:
        self.upload_id = upload_id
        self.offset = 0
        self._root = root
        self._path = root / "uploads" / upload_id
        self._resumable = resumable
        self._hash = hashlib.sha256()
        self._pending = bytearray()
        self._fd = -1

    def open(self) -> Self:
        """Takes the upload and hashes what it already holds; the caller holds the store's shared lock.

        Raises:
            UploadBusyError: another writer has it.
        """
        while not self._take():
            pass
        while chunk := os.read(self._fd, _CHUNK_BYTES):
            self._hash.update(chunk)
            self.offset += len(chunk)
        return self

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Appends `data` and returns its length, as a file does."""
        self._hash.update(data)
        size = len(data)
        self.offset += size
        if size < _BUFFER_BYTES:
            self._pending += data
            if len(self._pending) >= _BUFFER_BYTES:
                self._flush()
        else:
            self._flush()
            _write_all(self._fd, data)
        return size

    def commit(self, expected: str | None = None) -> str:
        """Makes the bytes a blob and returns its digest.

        Raises:
            DigestMismatchError: they do not hash to `expected`; the upload is dropped.
        """
        digest = f"sha256:{self._hash.hexdigest()}"
        if expected is not None and digests.parse(expected) != digest:
            self.abort()
            raise DigestMismatchError(
                "digest-mismatch",
                f"content has digest {digest}, expected {expected}",
                hint="send it again; if it repeats, the sender's copy is damaged: build it again",
                retryable=True,
            )
        self._flush()
        target = self._root / "blobs" / "sha256" / digests.hex_of(digest)
        with locks.shared(self._root / "gc.lock"):
            if _is_complete(target, self.offset):
                os.utime(target)
                self._path.unlink(missing_ok=True)
            else:
                # A name promises its content, also after a power cut: data first, then the name.
                os.fdatasync(self._fd)
                self._path.replace(target)
        self._release()
        return digest

    def abort(self) -> None:
        """Drops the upload; without effect after `commit`."""
        if self._fd >= 0:
            self._path.unlink(missing_ok=True)
            self._release()

    def close(self) -> None:
        """Lets go of the upload: a resumable one stays, another is dropped."""
        if self._fd < 0:
            return
        if not self._resumable:
            self.abort()
            return
        self._flush()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._path, flags, 0o644)
        if not locks.try_exclusive(fd):
            os.close(fd)
            raise UploadBusyError(
                "upload-busy",
                f"upload {self.upload_id} is being written by another process",
                hint="send the rest after the other request has ended",
                retryable=True,
            )
        # The other writer may have committed between our open and our lock: then fd is a finished blob.
        if not _is_same_file(fd, self._path):
            os.close(fd)
            return False
        self._fd = fd
        return True

    def _flush(self) -> None:
        if self._pending:
            _write_all(self._fd, self._pending)
            self._pending = bytearray()

    def _release(self) -> None:
        os.close(self._fd)
        self._fd = -1


def _is_complete(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except FileNotFoundError:
        return False


def _is_same_file(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def _write_all(fd: int, data: bytes | bytearray | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]

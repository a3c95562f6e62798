"""Gzip in both directions as a stream, with flat memory.

Writing is deflate level 6 in blocks of 1 MiB, each primed with the end of the block before (as pigz does):
all cores work, and neither their number nor their speed changes a byte. The bytes do depend on the zlib
implementation: two machines give one digest when their zlibs agree, and one diff_id always.
"""

import collections
import concurrent.futures
import hashlib
import os
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from understudy.image.layers import tarformat
from understudy.image.model import MediaTypeUnsupportedError

_BLOCK_BYTES = 1 << 20
_WINDOW_BYTES = 32 * 1024
_LEVEL = 6
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_READ_BYTES = 256 * 1024


class Readable(Protocol):
    """A file, a socket's response, or anything else that is read in pieces."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes, none at the end."""


class GzipWriter:
    """Compresses what is written to it and passes the result on in order.

    Attributes:
        size_bytes: uncompressed bytes so far.
    """

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self.size_bytes = 0
        self._sink = sink
        self._hash = hashlib.sha256()
        self._crc = 0
        self._buffer = bytearray()
        self._window = b""
        self._workers = max(1, min(8, len(os.sched_getaffinity(0))))
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        self._blocks: collections.deque[concurrent.futures.Future[bytes]] = collections.deque()

    @property
    def diff_id(self) -> str:
        """The digest of the uncompressed bytes so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, data: bytes) -> None:
        """Adds `data`."""
        self._hash.update(data)
        self._crc = zlib.crc32(data, self._crc)
        self.size_bytes += len(data)
        self._buffer += data
        while len(self._buffer) >= _BLOCK_BYTES:
            block = bytes(self._buffer[:_BLOCK_BYTES])
            del self._buffer[:_BLOCK_BYTES]
            self._submit(block)

    def __enter__(self) -> Self:
        self._sink(_HEADER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                last = _deflate(bytes(self._buffer), self._window, zlib.Z_FINISH)
                while self._blocks:
                    self._sink(self._blocks.popleft().result())
                self._sink(last)
                self._sink(self._crc.to_bytes(4, "little"))
                self._sink((self.size_bytes & 0xFFFFFFFF).to_bytes(4, "little"))
        finally:
            if self._pool is not None:
                self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, block: bytes) -> None:
        if self._pool is None:
            self._pool = concurrent.futures.ThreadPoolExecutor(self._workers, "gzip")
        self._blocks.append(self._pool.submit(_deflate, block, self._window, zlib.Z_SYNC_FLUSH))
        self._window = block[-_WINDOW_BYTES:]
        while len(self._blocks) > 2 * self._workers:
            self._sink(self._blocks.popleft().result())


class LayerReader:
    """The uncompressed bytes of a layer, gzip or plain, hashed as they pass.

    Raises `LayerInvalidError` where the compressed stream is damaged or longer than the limit.
    """

    def __init__(self, stream: Readable, *, limit_bytes: int) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self._total = 0
        self._buffer = b""
        self._position = 0
        self._inflater: zlib._Decompress | None = None
        self._packed = b""
        self._opened = False

    @property
    def diff_id(self) -> str:
        """The digest of the bytes read so far; the layer's diff_id after `drain`."""
        return f"sha256:{self._hash.hexdigest()}"

    @property
    def size_bytes(self) -> int:
        """Uncompressed bytes read so far."""
        return self._total

    def read_exact(self, size_bytes: int) -> bytes:
        """Returns `size_bytes` bytes, fewer at the end of the layer."""
        end = self._position + size_bytes
        if end <= len(self._buffer):
            data = self._buffer[self._position : end]
            self._position = end
            return data
        parts = []
        while size_bytes > 0 and (part := self.read_some(size_bytes)):
            parts.append(part)
            size_bytes -= len(part)
        return b"".join(parts)

    def read_some(self, limit: int) -> bytes:
        """Returns between one and `limit` bytes, none at the end of the layer."""
        if self._position >= len(self._buffer):
            self._buffer = self._next()
            self._position = 0
        data = self._buffer[self._position : self._position + limit]
        self._position += len(data)
        return data

    def drain(self) -> None:
        """Reads the rest, so that `diff_id` covers the whole layer."""
        self._position = len(self._buffer)
        while self._next():
            pass

    def _next(self) -> bytes:
        if not self._opened:
            self._opened = True
            self._open()
        data = self._inflate() if self._inflater is not None else self._raw()
        self._hash.update(data)
        self._total += len(data)
        if self._total > self._limit_bytes:
            raise tarformat.invalid(f"it unpacks to more than {self._limit_bytes} bytes")
        return data

    def _open(self) -> None:
        head = b""
        while len(head) < len(_ZSTD_MAGIC) and (part := self._stream.read(_READ_BYTES)):
            head += part
        self._packed = head
        if head.startswith(_ZSTD_MAGIC):
            raise MediaTypeUnsupportedError(
                "media-type-unsupported",
                "layer is compressed with zstd, expected gzip: Lambda refuses zstd layers",
                hint="build with --output type=image,compression=gzip,force-compression=true",
            )
        if head.startswith(_GZIP_MAGIC):
            self._inflater = zlib.decompressobj(31)

    def _raw(self) -> bytes:
        data, self._packed = self._packed, b""
        return data or self._stream.read(_READ_BYTES)

    def _inflate(self) -> bytes:
        while (inflater := self._inflater) is not None:
            if not self._packed:
                self._packed = self._stream.read(_READ_BYTES)
            try:
                if not self._packed:
                    return self._finish(inflater)
                data = inflater.decompress(self._packed, _BLOCK_BYTES)
            except zlib.error as exc:
                raise tarformat.invalid(f"its gzip stream is damaged ({exc})") from exc
            self._packed = inflater.unconsumed_tail
            if inflater.eof:
                self._packed = inflater.unused_data or self._stream.read(_READ_BYTES)
                self._inflater = zlib.decompressobj(31) if self._packed else None
            if data:
                return data
        return b""

    def _finish(self, inflater: "zlib._Decompress") -> bytes:
        data = inflater.flush()
        if not inflater.eof:
            raise tarformat.invalid("its gzip stream ends too early")
        self._inflater = None
        return data


def _deflate(block: bytes, window: bytes, mode: int) -> bytes:
    if window:
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, zdict=window)
    else:
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    return packer.compress(block) + packer.flush(mode)

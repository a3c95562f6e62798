"""The uncompressed bytes of one layer: forward in one pass, and from any place again without starting over.

While a gzip layer passes, the inflater is copied every few MiB, so that a file in the middle of 100 MB costs
some milliseconds instead of a second pass. Copies are bounded in number: memory does not follow the layer's
size. Refuses zstd, for which the standard library of our Python has no decompressor.
"""

import bisect
import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from zlib_ng import zlib_ng as zlib

from understudy.image.layers import tarformat
from understudy.image.model import MediaTypeUnsupportedError

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_READ_BYTES = 128 * 1024
_INFLATE_BYTES = 512 * 1024
_SPACING_BYTES = 2 << 20
_CHECKPOINTS_MAX = 64
_GZIP_BITS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A place to go on from.

    Attributes:
        offset: in the uncompressed bytes.
        packed_offset: in the blob.
        inflater: what it had understood there; never used itself, only copied. `None` in a plain layer.
    """

    offset: int
    packed_offset: int
    inflater: "zlib._Decompress | None"


class Checkpoints:
    """Where one layer can be entered, at least every 64th part of it.

    Attributes:
        plain: whether the layer is not compressed: then it can be entered anywhere.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self.plain = plain
        self._spacing_bytes = _SPACING_BYTES
        self._found: list[Checkpoint] = []

    @property
    def next_offset(self) -> int:
        """Where the next checkpoint is welcome."""
        return self._found[-1].offset + self._spacing_bytes if self._found else self._spacing_bytes

    def add(self, checkpoint: Checkpoint) -> None:
        """Keeps `checkpoint`; when there are too many, every second one goes."""
        self._found.append(checkpoint)
        if len(self._found) > _CHECKPOINTS_MAX:
            self._found = self._found[1::2]
            self._spacing_bytes *= 2

    def before(self, offset: int) -> Checkpoint | None:
        """The last checkpoint at or before `offset`."""
        if self.plain:
            return Checkpoint(offset=offset, packed_offset=offset, inflater=None)
        position = bisect.bisect_right(self._found, offset, key=lambda item: item.offset)
        return self._found[position - 1] if position else None


class LayerStream:
    """Reads a layer, gzip or plain, from its start or from a checkpoint; hashes both sides of a whole pass.

    Attributes:
        offset: of the next byte, uncompressed.
    """

    def __init__(
        self,
        blob: BinaryIO,
        checkpoints: Checkpoints,
        *,
        limit_bytes: int,
        start: Checkpoint | None = None,
        hashed: bool = False,
    ) -> None:
        """Reads nothing yet; `blob` is at its start, or can seek when there is a `start`."""
        self.offset = 0 if start is None else start.offset
        self._blob = blob
        self._checkpoints = checkpoints
        self._limit_bytes = limit_bytes
        self._start = start
        self._packed = b""
        self._packed_offset = 0 if start is None else start.packed_offset
        self._end = self.offset
        self._buffer = b""
        self._position = 0
        self._inflater: zlib._Decompress | None = None
        self._opened = False
        self._hashed = hashed
        self._hash = hashlib.sha256()
        self._packed_hash = hashlib.sha256()

    @property
    def diff_id(self) -> str:
        """The digest of the uncompressed bytes so far."""
        return f"sha256:{self._hash.hexdigest()}"

    @property
    def digest(self) -> str:
        """The digest of the blob's bytes so far."""
        return f"sha256:{self._packed_hash.hexdigest()}"

    @property
    def packed_bytes(self) -> int:
        """Bytes of the blob read so far."""
        return self._packed_offset

    def read_exact(self, size_bytes: int, before: bytes = b"") -> bytes:
        """Returns `before` and the next `size_bytes` bytes, fewer at the end of the layer."""
        end = self._position + size_bytes
        if end <= len(self._buffer):
            data = self._buffer[self._position : end]
            self._position = end
            self.offset += size_bytes
            return before + data if before else data
        parts = [before]
        while size_bytes > 0 and (part := self.read_some(size_bytes)):
            parts.append(part)
            size_bytes -= len(part)
        return b"".join(parts)

    def read_some(self, limit: int) -> bytes:
        """Returns between one and `limit` bytes, none at the end of the layer."""
        if self._position >= len(self._buffer) and not self._fill():
            return b""
        data = self._buffer[self._position : self._position + limit]
        self._position += len(data)
        self.offset += len(data)
        return data

    def skip(self, size_bytes: int) -> int:
        """Passes over `size_bytes` bytes and returns how many there were."""
        rest = size_bytes
        while rest > 0 and (self._position < len(self._buffer) or self._fill()):
            step = min(rest, len(self._buffer) - self._position)
            self._position += step
            self.offset += step
            rest -= step
        return size_bytes - rest

    def drain(self) -> None:
        """Reads the rest, so that both digests cover the whole layer."""
        while self.skip(_INFLATE_BYTES):
            pass
        while self._hashed and self._read():
            pass

    def _fill(self) -> bool:
        """Makes the buffer hold the next bytes; whether there are any."""
        if not self._opened:
            self._opened = True
            self._open()
        data = self._inflate() if self._inflater is not None else self._raw()
        self._buffer, self._position = data, 0
        if self._hashed:
            self._hash.update(data)
        self._end += len(data)
        if self._end > self._limit_bytes:
            raise tarformat.invalid(f"it unpacks to more than {self._limit_bytes} bytes")
        if not self._checkpoints.plain and self._end >= self._checkpoints.next_offset:
            self._mark()
        return bool(data)

    def _mark(self) -> None:
        # What is left of the packed bytes has not been inflated yet: going on means reading it again.
        inflater = None if self._inflater is None else self._inflater.copy()
        place = self._packed_offset - len(self._packed)
        self._checkpoints.add(Checkpoint(offset=self._end, packed_offset=place, inflater=inflater))

    def _open(self) -> None:
        if self._start is not None:
            self._blob.seek(self._start.packed_offset)
            if self._start.inflater is not None:
                self._inflater = self._start.inflater.copy()
            return
        head = b""
        while len(head) < len(_ZSTD_MAGIC) and (part := self._read()):
            head += part
        self._packed = head
        if head.startswith(_ZSTD_MAGIC):
            raise MediaTypeUnsupportedError(
                "media-type-unsupported",
                "layer is compressed with zstd, which this program cannot read, expected gzip",
                hint="build with --output type=image,compression=gzip,force-compression=true",
            )
        if head.startswith(_GZIP_MAGIC):
            self._inflater = zlib.decompressobj(_GZIP_BITS)
        else:
            self._checkpoints.plain = True

    def _read(self) -> bytes:
        data = self._blob.read(_READ_BYTES)
        if self._hashed:
            self._packed_hash.update(data)
        self._packed_offset += len(data)
        return data

    def _raw(self) -> bytes:
        data, self._packed = self._packed, b""
        return data or self._read()

    def _inflate(self) -> bytes:
        while (inflater := self._inflater) is not None:
            if not self._packed:
                self._packed = self._read()
            try:
                if not self._packed:
                    return self._finish(inflater)
                data: bytes = inflater.decompress(self._packed, _INFLATE_BYTES)
            except zlib.error as exc:
                raise tarformat.invalid(f"its gzip stream is damaged ({exc})") from exc
            self._packed = inflater.unconsumed_tail
            if inflater.eof:
                # Several gzip streams in a row are one layer (RFC 1952, section 2.2).
                self._packed = inflater.unused_data or self._read()
                self._inflater = zlib.decompressobj(_GZIP_BITS) if self._packed else None
            if data:
                return data
        return b""

    def _finish(self, inflater: "zlib._Decompress") -> bytes:
        data: bytes = inflater.flush()
        if not inflater.eof:
            raise tarformat.invalid("its gzip stream ends too early")
        self._inflater = None
        return data

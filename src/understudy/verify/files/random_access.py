"""Ranges of a layer's uncompressed bytes in any order, each from the nearest place to enter it."""

from collections.abc import Callable
from typing import BinaryIO

from understudy.verify.files.stream import Checkpoints, LayerStream

_WINDOW_BYTES = 64 * 1024


class LayerReader:
    """One layer, entered where it is cheapest; going forwards in small steps costs one pass.

    Raises `UnderstudyError` where the layer is damaged.
    """

    def __init__(self, blob: BinaryIO, checkpoints: Checkpoints, *, limit_bytes: int) -> None:
        self._blob = blob
        self._checkpoints = checkpoints
        self._limit_bytes = limit_bytes
        self._stream: LayerStream | None = None

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Returns `size_bytes` bytes from `offset`, fewer at the end of the layer."""
        stream = self._at(offset)
        return stream.read_exact(size_bytes)

    def window(self, start: int, size_bytes: int) -> Callable[[int, int], bytes]:
        """Returns a function that reads within the file at `start`, keeping the last 64 KiB at hand."""
        held_at, held = 0, b""

        def read(offset: int, wanted: int) -> bytes:
            nonlocal held_at, held
            wanted = min(wanted, size_bytes - offset)
            if offset < 0 or wanted <= 0:
                return b""
            if not held_at <= offset <= offset + wanted <= held_at + len(held):
                held_at = offset
                held = self.read(start + offset, min(max(wanted, _WINDOW_BYTES), size_bytes - offset))
            return held[offset - held_at : offset - held_at + wanted]

        return read

    def _at(self, offset: int) -> LayerStream:
        place = self._checkpoints.before(offset)
        stream = self._stream
        here = -1 if stream is None or stream.offset > offset else stream.offset
        if stream is None or here < 0 or (place is not None and place.offset > here):
            self._blob.seek(0)
            stream = LayerStream(self._blob, self._checkpoints, limit_bytes=self._limit_bytes, start=place)
            self._stream = stream
        stream.skip(offset - stream.offset)
        return stream

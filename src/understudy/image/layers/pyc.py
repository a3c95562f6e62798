"""Keeps compiled Python valid while its source's mtime moves.

A ``.pyc`` starts with magic, flags, and for flags 0 the source's mtime and size (PEP 552). Refuses to touch a
file that was stale before: compiling again is then what Python must do.
"""

import struct
from pathlib import PurePosixPath

HEADER_BYTES = 16
_MASK = 0xFFFFFFFF


def source_of(path: str) -> str | None:
    """Returns the path of the source that a cached ``.pyc`` belongs to, None for every other path."""
    cached = PurePosixPath(path)
    if cached.suffix != ".pyc" or cached.parent.name != "__pycache__":
        return None
    return str(cached.parent.parent / f"{cached.name.partition('.')[0]}.py")


def retimed(header: bytes, *, recorded_s: int, size_bytes: int, new_s: int) -> bytes:
    """Returns the header with `new_s` as the source's mtime, or unchanged when it did not match before.

    Args:
        header: the first 16 bytes of the file, or fewer.
        recorded_s: the source's mtime on this machine.
        size_bytes: the source's length.
        new_s: the source's mtime in the image.
    """
    if len(header) < HEADER_BYTES:
        return header
    flags, mtime, size = struct.unpack("<III", header[4:HEADER_BYTES])
    if flags or mtime != recorded_s & _MASK or size != size_bytes & _MASK:
        return header
    return header[:8] + struct.pack("<I", new_s & _MASK) + header[12:]

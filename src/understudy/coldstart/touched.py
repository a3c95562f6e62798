"""Which parts of an image a cold start reads: what Lambda has to fetch before the function can answer.

Lambda loads an image in blocks of 512 KiB as they are needed ("On-demand Container Loading in AWS Lambda",
https://arxiv.org/abs/2305.13162): what counts is what is touched, not how large the image is. Counted here
are the pages that are in the page cache after a start that began with none of them, the kernel's read-ahead
included; blocks are counted within each file.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.coldstart.model import LayerTouched, Touched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from understudy.image.rootfs import Rootfs

BLOCK_BYTES = 512 * 1024
_LIBC = ctypes.CDLL(None, use_errno=True)


def count(rootfs: Rootfs) -> Touched:
    """What of an image's files is in the page cache now, layer by layer from the base up."""
    return Touched(layers=tuple(_layer(folder) for folder in rootfs.layers))


def cached(paths: Iterable[Path]) -> frozenset[Path]:
    """Those of these files of which something is in the page cache now."""
    return frozenset(path for path in paths if _file(path)[1])


def _layer(folder: Path) -> LayerTouched:
    files = blocks = touched_bytes = size_bytes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            size, resident = _file(Path(parent, name))
            size_bytes += size
            if resident:
                files += 1
                touched_bytes += min(size, sum(resident) * mmap.PAGESIZE)
                per_block = BLOCK_BYTES // mmap.PAGESIZE
                blocks += sum(any(resident[at : at + per_block]) for at in range(0, len(resident), per_block))
    return LayerTouched(files=files, blocks=blocks, touched_bytes=touched_bytes, size_bytes=size_bytes)


def _file(path: Path) -> tuple[int, bytes]:
    """A file's size, and for each of its pages whether it is cached; nothing where none is."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or not status.st_size:
            return 0, b""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0, b""
    try:
        # Private and writable, because ctypes finds the address of nothing else; nothing is written.
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY) as mapped:
            return status.st_size, _resident(mapped)
    finally:
        os.close(descriptor)


def _resident(mapped: mmap.mmap) -> bytes:
    pages = -(-len(mapped) // mmap.PAGESIZE)
    vector = (ctypes.c_ubyte * pages)()
    start = ctypes.c_char.from_buffer(mapped)
    failed = _LIBC.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapped)), vector)
    del start  # the mapping cannot be closed while somebody points into it
    found = bytes(page & 1 for page in vector)
    return found if not failed and any(found) else b""

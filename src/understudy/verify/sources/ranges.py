"""A part of an open file, read as a file of its own: blobs inside an archive, without unpacking it."""

import io
import os


class Range(io.RawIOBase):
    """Bytes `start` to `start` + `size_bytes` of the open file `fd`.

    Positions are its own (``pread``), so several ranges of one file can be read at the same time. It does not
    close `fd`.
    """

    def __init__(self, fd: int, start: int, size_bytes: int) -> None:
        super().__init__()
        self._fd = fd
        self._start = start
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves the position as a file does."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fills `buffer` from the position on and returns how much of it."""
        wanted = min(len(buffer), max(0, self._size_bytes - self._position))
        data = os.pread(self._fd, wanted, self._start + self._position) if wanted else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def opened(fd: int, start: int, size_bytes: int) -> io.BufferedReader:
    """Returns that part of `fd` open for reading."""
    return io.BufferedReader(Range(fd, start, size_bytes), 1 << 17)

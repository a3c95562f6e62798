import struct

import pytest

from understudy.image.layers import pyc


def header(flags: int = 0, mtime: int = 100, size: int = 7) -> bytes:
    return b"\xa7\r\r\n" + struct.pack("<III", flags, mtime, size)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/__pycache__/m.cpython-313.pyc", "a/m.py"),
        ("__pycache__/m.cpython-313.opt-1.pyc", "m.py"),
        ("a/m.pyc", None),
        ("a/__pycache__/m.txt", None),
    ],
)
def test_source_of_a_cached_file(path: str, source: str | None) -> None:
    assert pyc.source_of(path) == source


def test_valid_record_moves_with_its_source() -> None:
    assert pyc.retimed(header(), recorded_s=100, size_bytes=7, new_s=5) == header(mtime=5)


def test_times_beyond_32_bits_wrap_as_python_does() -> None:
    old = header(mtime=(2**33 + 100) & 0xFFFFFFFF)
    assert pyc.retimed(old, recorded_s=2**33 + 100, size_bytes=7, new_s=2**32 + 5) == header(mtime=5)


@pytest.mark.parametrize(
    "data",
    [header(flags=1), header(flags=3), header(mtime=99), header(size=8), b"", b"short"],
    ids=["unchecked hash", "checked hash", "stale by time", "stale by size", "empty", "short"],
)
def test_everything_else_stays(data: bytes) -> None:
    assert pyc.retimed(data, recorded_s=100, size_bytes=7, new_s=5) == data

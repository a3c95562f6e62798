import gzip
import io
import random

from understudy.verify.files.random_access import LayerReader
from understudy.verify.files.stream import Checkpoints

DATA = b"".join(random.Random(seed).randbytes(1 << 15) + bytes(1 << 15) for seed in range(160))


class Counting(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_reads_ranges_in_any_order() -> None:
    reader = LayerReader(io.BytesIO(gzip.compress(DATA, 1)), Checkpoints(), limit_bytes=1 << 40)
    for offset in (9_000_000, 5, 10_000_000, 9_999_999, 0):
        assert reader.read(offset, 1000) == DATA[offset : offset + 1000]
    assert reader.read(len(DATA) - 3, 10) == DATA[-3:]


def test_going_forwards_is_one_pass() -> None:
    blob = Counting(gzip.compress(DATA, 1))
    reader = LayerReader(blob, Checkpoints(), limit_bytes=1 << 40)
    for offset in range(0, len(DATA), 500_000):
        assert reader.read(offset, 100) == DATA[offset : offset + 100]
    assert blob.count <= len(blob.getvalue())


def test_going_back_does_not_start_over() -> None:
    blob = Counting(gzip.compress(DATA, 1))
    reader = LayerReader(blob, Checkpoints(), limit_bytes=1 << 40)
    reader.read(len(DATA) - 10, 10)
    before = blob.count
    assert reader.read(8_500_000, 10) == DATA[8_500_000:8_500_010]
    assert blob.count - before < len(blob.getvalue()) // 2


def test_a_window_stays_within_its_file() -> None:
    reader = LayerReader(io.BytesIO(DATA), Checkpoints(plain=True), limit_bytes=1 << 40)
    read = reader.window(1000, 500)
    assert read(0, 10) == DATA[1000:1010]
    assert read(490, 100) == DATA[1490:1500]
    assert read(500, 1) == b""
    assert read(1 << 63, 16) == b""
    assert read(-1, 16) == b""

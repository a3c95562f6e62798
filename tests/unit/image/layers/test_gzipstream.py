import gzip
import io

import pytest

from tests.unit.image.samples import noise
from understudy.image import digests
from understudy.image.layers.gzipstream import GzipWriter, LayerReader
from understudy.image.layers.tarformat import LayerInvalidError
from understudy.image.model import MediaTypeUnsupportedError

TEXT = b"".join(b"line %d of a long text\n" % number for number in range(200_000))


def pack(data: bytes, piece: int = 100_000) -> bytes:
    out = bytearray()
    with GzipWriter(out.extend) as writer:
        for start in range(0, len(data), piece):
            writer.write(data[start : start + piece])
    assert writer.diff_id == digests.of(data)
    assert writer.size_bytes == len(data)
    return bytes(out)


def unpack(data: bytes, limit_bytes: int = 1 << 30) -> bytes:
    reader = LayerReader(io.BytesIO(data), limit_bytes=limit_bytes)
    found = b""
    while chunk := reader.read_some(70_000):
        found += chunk
    assert reader.diff_id == digests.of(found)
    return found


@pytest.mark.parametrize(
    "data",
    [b"", b"x", TEXT, noise(3 << 20), bytes(1 << 20)],
    ids=["empty", "byte", "text", "noise", "one block"],
)
def test_any_gzip_reads_what_we_write_and_we_what_any_gzip_writes(data: bytes) -> None:
    assert gzip.decompress(pack(data)) == data
    assert unpack(pack(data)) == data
    assert unpack(gzip.compress(data)) == data


def test_sizes_of_the_pieces_do_not_change_a_byte() -> None:
    assert pack(TEXT, 7_777) == pack(TEXT, 1 << 22)
    assert pack(TEXT)[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def test_blocks_cost_almost_nothing() -> None:
    assert len(pack(TEXT)) < 1.01 * len(gzip.compress(TEXT, 6))


def test_members_after_each_other_are_one_stream() -> None:
    assert unpack(gzip.compress(b"a") + gzip.compress(b"b" * 1000)) == b"a" + b"b" * 1000


def test_plain_layer_is_read_as_it_is() -> None:
    reader = LayerReader(io.BytesIO(TEXT), limit_bytes=1 << 30)
    assert reader.read_exact(10) == TEXT[:10]
    assert reader.read_exact(1_000_000) == TEXT[10:1_000_010]
    reader.drain()
    assert reader.diff_id == digests.of(TEXT)
    assert reader.read_exact(1) == b""


@pytest.mark.parametrize(
    "data",
    [
        pack(TEXT)[:-1],
        pack(TEXT)[:-9],
        pack(TEXT)[:1000],
        pack(TEXT)[:-5] + b"x" * 5,
        pack(b"x") + b"garbage",
    ],
    ids=["size cut", "checksum cut", "half", "wrong checksum", "garbage behind"],
)
def test_damage_is_an_error(data: bytes) -> None:
    with pytest.raises(LayerInvalidError, match="gzip"):
        unpack(data)


def test_more_than_the_limit_is_an_error() -> None:
    with pytest.raises(LayerInvalidError, match="more than 1000"):
        unpack(pack(bytes(10 << 20)), limit_bytes=1000)


def test_zstd_is_refused_with_the_option_that_helps() -> None:
    with pytest.raises(MediaTypeUnsupportedError) as caught:
        unpack(b"\x28\xb5\x2f\xfd" + bytes(100))
    assert "compression=gzip" in caught.value.hint


def test_failure_of_the_caller_ends_the_workers() -> None:
    out = bytearray()
    with pytest.raises(ZeroDivisionError), GzipWriter(out.extend) as writer:
        writer.write(TEXT) or 1 / 0

import gzip
import io
import random
import zlib

import pytest

from tests.unit.verify.samples import digest
from understudy.errors import UnderstudyError
from understudy.image.layers.tarformat import LayerInvalidError
from understudy.image.model import MediaTypeUnsupportedError
from understudy.verify.files.stream import Checkpoints, LayerStream

# Half of it repeats, so that it deflates like a layer does.
DATA = b"".join(random.Random(seed).randbytes(1 << 16) + bytes(1 << 16) for seed in range(160))
LIMIT = 1 << 40


def stream(packed: bytes, checkpoints: Checkpoints | None = None, **facts: object) -> LayerStream:
    return LayerStream(io.BytesIO(packed), checkpoints or Checkpoints(), limit_bytes=LIMIT, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(DATA, id="plain"),
        pytest.param(gzip.compress(DATA, 1), id="gzip"),
        pytest.param(
            gzip.compress(DATA[: 1 << 20], 1) + gzip.compress(DATA[1 << 20 :], 1), id="two in a row"
        ),
    ],
)
def test_gives_all_bytes_and_both_digests(packed: bytes) -> None:
    found = stream(packed, hashed=True)
    assert found.read_exact(10) == DATA[:10]
    assert found.skip(1 << 20) == 1 << 20
    assert found.read_exact(100_000) == DATA[10 + (1 << 20) : 100_010 + (1 << 20)]
    found.drain()
    assert found.offset == len(DATA)
    assert (found.digest, found.diff_id) == (digest(packed), digest(DATA))
    assert found.read_exact(1) == b""


@pytest.mark.parametrize("packed", [DATA, gzip.compress(DATA, 1)], ids=["plain", "gzip"])
def test_goes_on_from_any_checkpoint(packed: bytes) -> None:
    checkpoints = Checkpoints()
    stream(packed, checkpoints).drain()
    assert checkpoints.before(len(DATA)) is not None
    for offset in (len(DATA) - 5, 3 << 20, 7_654_321, 2 << 20, 0):
        start = checkpoints.before(offset)
        assert offset - (start.offset if start else 0) < 4 << 20
        found = stream(packed, checkpoints, start=start)
        found.skip(offset - found.offset)
        assert found.read_exact(5) == DATA[offset : offset + 5]


def test_keeps_a_bounded_number_of_checkpoints() -> None:
    checkpoints = Checkpoints()
    packer = zlib.compressobj(1, wbits=31)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush()
    stream(packed, checkpoints).drain()
    places = {found.offset for at in range(0, 600 << 20, 1 << 20) if (found := checkpoints.before(at))}
    assert 30 < len(places) <= 65


@pytest.mark.parametrize(
    ("packed", "error"),
    [
        pytest.param(gzip.compress(DATA, 1)[:-9], LayerInvalidError, id="ends too early"),
        pytest.param(gzip.compress(DATA, 1)[:4096] + bytes(4096), LayerInvalidError, id="damaged"),
        pytest.param(b"\x28\xb5\x2f\xfd" + bytes(100), MediaTypeUnsupportedError, id="zstd"),
    ],
)
def test_refuses_what_it_cannot_unpack(packed: bytes, error: type[UnderstudyError]) -> None:
    with pytest.raises(error):
        stream(packed).drain()


def test_stops_at_the_limit() -> None:
    small = LayerStream(io.BytesIO(gzip.compress(bytes(5 << 20))), Checkpoints(), limit_bytes=1 << 20)
    with pytest.raises(LayerInvalidError, match="unpacks to more than"):
        small.drain()


def test_an_empty_blob_is_an_empty_layer() -> None:
    found = stream(b"", hashed=True)
    found.drain()
    assert (found.offset, found.diff_id) == (0, digest(b""))

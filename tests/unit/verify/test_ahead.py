from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.image.store import BlobMissingError
from understudy.verify import ahead, files


def test_an_image_is_read_before_anybody_asks(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    image = image_of(store, [file("a", b"1")], [file("b", b"2")])

    with ahead.begun(image.digest, "linux/amd64", store=store, cache_dir=tmp_path / "facts") as readings:
        (reading,) = readings.values()
        assert list(readings) == [image.digest]
        assert reading.result.tree.names("/") == ("a", "b")
        assert reading.result.tree.read("/a") == b"1"
        assert reading.result is reading.result

    again = files.load(image.manifest.layers, store.open_blob, cache_dir=tmp_path / "facts", trusted=True)
    assert again.layers == reading.result.layers


def test_an_image_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    begun = ahead.begun(
        f"sha256:{'0' * 64}", "linux/amd64", store=store_at(tmp_path / "s"), cache_dir=tmp_path / "facts"
    )
    with pytest.raises(BlobMissingError), begun:
        pass

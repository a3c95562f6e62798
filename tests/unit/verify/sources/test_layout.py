from pathlib import Path

import pytest

from tests.unit.verify.samples import Layout, file
from understudy.errors import UnderstudyError
from understudy.verify.sources import layout as layouts
from understudy.verify.sources.model import ImageNotFoundError, ImageSource, ImageUnreadableError


def opened(root: Path, name: str = "", platform: str = "linux/amd64") -> ImageSource:
    return layouts.open_directory("oci:x", root, name, platform)


def test_one_image_needs_no_name(tmp_path: Path) -> None:
    made = Layout()
    entry = made.image([file("a", b"1")])
    source = opened(made.add(entry, "latest").write(tmp_path))
    assert (source.image.digest, source.index, source.exported, source.trusted) == (
        entry["digest"],
        None,
        False,
        False,
    )
    with source.open_blob(source.image.manifest.layers[0].digest) as blob:
        assert blob.read(2) == b"\x1f\x8b"


def test_several_images_are_told_apart_by_name(tmp_path: Path) -> None:
    made = Layout()
    one, two = made.image([file("a")]), made.image([file("b")])
    root = made.add(one, "one").add(two, "two").write(tmp_path)
    assert opened(root, "two").image.digest == two["digest"]
    with pytest.raises(ImageNotFoundError, match="2 images: one, two"):
        opened(root)
    with pytest.raises(ImageNotFoundError, match="no image 'three'; it holds one, two"):
        opened(root, "three")


def test_platforms_without_names_are_one_image(tmp_path: Path) -> None:
    made = Layout()
    arm, amd = made.image([file("a")], architecture="arm64"), made.image([file("a")])
    root = made.add(arm).add(amd).write(tmp_path)
    assert opened(root).image.digest == amd["digest"]
    assert opened(root, platform="linux/arm64").image.digest == arm["digest"]


def test_an_index_below_the_list_is_the_images(tmp_path: Path) -> None:
    made = Layout()
    index = made.index(made.image([file("a")]))
    source = opened(made.add(index, "latest").write(tmp_path))
    assert source.index is not None
    assert source.index.digest == index["digest"]


def test_an_empty_layout_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_bytes(b'{"schemaVersion":2,"manifests":[]}')
    with pytest.raises(ImageNotFoundError, match="0 images: nothing"):
        opened(tmp_path)


def test_a_folder_without_index_is_no_layout(tmp_path: Path) -> None:
    assert not layouts.is_layout(tmp_path)
    with pytest.raises(ImageUnreadableError, match="is no OCI image layout") as caught:
        opened(tmp_path)
    assert caught.value.hint.startswith("write one with: skopeo copy")


def test_a_blob_that_is_missing_is_named(tmp_path: Path) -> None:
    made = Layout()
    entry = made.image([file("a")])
    root = made.add(entry).write(tmp_path)
    (root / "blobs" / "sha256" / entry["digest"][7:]).unlink()
    with pytest.raises(ImageUnreadableError, match=f"blob {entry['digest']} is missing"):
        opened(root)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"manifests":[{}]}', b'{"manifests":7}'])
def test_a_damaged_index_is_our_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(UnderstudyError):
        opened(tmp_path)

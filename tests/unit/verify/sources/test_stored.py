from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.verify.sources import stored
from understudy.verify.sources.model import ImageNotFoundError


def test_a_tag_a_digest_and_its_first_digits_mean_the_image(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")], tag="dashboard:latest")
    digits = image.digest.removeprefix("sha256:")
    for name in ("dashboard:latest", "dashboard", image.digest, digits, digits[:8], f"sha256:{digits[:12]}"):
        assert stored.find(store, name) == image.digest, name
    for name in ("dashboard:other", "unknown", digits[:7], "f" * 12, f"sha256:{digits[:7]}"):
        assert stored.find(store, name) is None, name


def test_first_digits_mean_images_not_configs_or_layers(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    for descriptor in (image.manifest.config, *image.manifest.layers):
        assert stored.find(store, descriptor.digest) is None


def test_first_digits_of_several_images_are_an_error(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    digits = image.digest.removeprefix("sha256:")
    twin = store.root / "blobs" / "sha256" / (digits[:10] + digits[10:][::-1])
    twin.write_bytes(store.read(image.digest))
    with pytest.raises(ImageNotFoundError, match="is the start of 2 images") as caught:
        stored.find(store, digits[:8])
    assert "write more digits" in caught.value.hint


def test_a_stored_image_is_trusted(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    source = stored.open_stored(store, "x", image.digest, "linux/amd64")
    assert (source.image, source.index, source.trusted, source.exported) == (image, None, True, False)

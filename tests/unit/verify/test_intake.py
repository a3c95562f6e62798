from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from tests.unit.verify import samples
from understudy.errors import UnderstudyError
from understudy.image import rootfs
from understudy.image.store import Store
from understudy.verify import intake, sources
from understudy.verify.sources import ImageSource


@pytest.fixture
def elsewhere(tmp_path: Path) -> Store:
    return store_at(tmp_path / "elsewhere")


@pytest.fixture
def source(elsewhere: Store) -> ImageSource:
    image = image_of(elsewhere, [file("a")], [file("b")])
    return ImageSource(reference="r", image=image, index=None, blobs=elsewhere)


def test_an_image_arrives_whole_and_once(source: ImageSource, tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    told: list[str] = []

    digest = intake.bring(source, store, told.append)

    assert store.image(digest) == source.image
    assert len(told) == 2
    intake.bring(source, store, told.append)
    assert len(told) == 2


def test_what_older_docker_engines_save_arrives_with_its_config(tmp_path: Path) -> None:
    saved = samples.write_tar(tmp_path / "save.tar", samples.docker_save([samples.file("a")]))
    store = store_at(tmp_path / "store")

    with sources.open(str(saved), store=store) as source:
        digest = intake.bring(source, store)

    assert rootfs.prepare(store, digest).layers[0].joinpath("a").is_file()


def test_a_damaged_blob_is_refused(source: ImageSource, elsewhere: Store, tmp_path: Path) -> None:
    elsewhere.path(source.image.manifest.layers[0].digest).write_bytes(b"other")
    with pytest.raises(UnderstudyError, match="digest"):
        intake.bring(source, store_at(tmp_path / "store"))


def test_a_sound_image_has_no_obstacle(source: ImageSource) -> None:
    assert intake.obstacle(source) == ""


def test_layers_that_cannot_be_unpacked_are_named(source: ImageSource) -> None:
    manifest = source.image.manifest
    zstd = replace(manifest.layers[0], media_type="application/vnd.oci.image.layer.v1.tar+zstd")
    odd = replace(source.image, manifest=replace(manifest, layers=(zstd, manifest.layers[1])))
    assert "tar+zstd" in intake.obstacle(replace(source, image=odd))


def test_layers_that_the_config_does_not_know_are_told(source: ImageSource) -> None:
    config = replace(source.image.config, diff_ids=())
    assert "different numbers" in intake.obstacle(replace(source, image=replace(source.image, config=config)))

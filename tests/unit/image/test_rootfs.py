import os
from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.image import render, rootfs
from understudy.image.fields import DocumentInvalidError
from understudy.image.model import Descriptor, ImageConfig, MediaTypeUnsupportedError
from understudy.image.rootfs import Rootfs
from understudy.image.store import DigestMismatchError, Store
from understudy.image.store.layout import TagUnknownError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path)


def variant(store: Store, layers: tuple[Descriptor, ...], diff_ids: tuple[str, ...]) -> str:
    config = render.image_config(ImageConfig(architecture="amd64", os="linux", diff_ids=diff_ids))
    descriptor = Descriptor(media_type="x", digest=store.put(config.raw), size_bytes=len(config.raw))
    return store.put_image(render.image_manifest(descriptor, layers))


def test_layers_are_unpacked_once_and_shared(store: Store) -> None:
    first = image_of(store, [file("a", b"1")], [file("b", b"2")], tag="first")
    second = image_of(store, [file("a", b"1")], [file("c", b"3")])
    one, two = rootfs.prepare(store, "first"), rootfs.prepare(store, second.digest)
    assert [layer.name for layer in one.layers] == [diff_id[7:] for diff_id in first.config.diff_ids]
    assert one.layers[0] == two.layers[0]
    before = [layer.stat().st_ino for layer in one.layers]
    assert [layer.stat().st_ino for layer in rootfs.prepare(store, "first").layers] == before
    assert (one.layers[1] / "b").read_bytes() == b"2"


def test_repeated_layer_is_mounted_once_at_its_upper_place(store: Store) -> None:
    image = image_of(store, [file("a", b"1")], [file("a", b"2")], [file("a", b"1")])
    top = [layer.name for layer in rootfs.prepare(store, image.digest).layers]
    assert top == [image.config.diff_ids[1][7:], image.config.diff_ids[0][7:]]


def test_unknown_image_is_named(store: Store) -> None:
    with pytest.raises(TagUnknownError):
        rootfs.prepare(store, "missing")


def test_documents_that_disagree_are_refused(store: Store) -> None:
    image = image_of(store, [file("a")])
    (layer,), (diff_id,) = image.manifest.layers, image.config.diff_ids
    with pytest.raises(DocumentInvalidError, match="2 layers, its manifest 1"):
        rootfs.prepare(store, variant(store, (layer,), (diff_id, diff_id)))
    with pytest.raises(DigestMismatchError):
        rootfs.prepare(store, variant(store, (layer,), ("sha256:" + "0" * 64,)))
    assert not [
        path for path in (store.root / "layers").iterdir() if not path.name.startswith((".locks", ".used"))
    ]


def test_foreign_layer_type_is_refused(store: Store) -> None:
    image = image_of(store, [file("a")])
    zstd = Descriptor(
        media_type="application/vnd.oci.image.layer.v1.tar+zstd",
        digest=image.manifest.layers[0].digest,
        size_bytes=image.manifest.layers[0].size_bytes,
    )
    with pytest.raises(MediaTypeUnsupportedError):
        rootfs.prepare(store, variant(store, (zstd,), image.config.diff_ids))


def test_collection_leaves_used_young_and_leased_layers(store: Store) -> None:
    kept = image_of(store, [file("a", b"kept")], tag="kept")
    lost = image_of(store, [file("a", b"lost")])
    roots = [rootfs.prepare(store, image.digest) for image in (kept, lost)]
    assert rootfs.gc(store).removed == 0
    for stamp in (store.root / "layers" / ".used").iterdir():
        os.utime(stamp, (1, 1))
    with rootfs.lease(roots[1]):
        assert rootfs.gc(store).removed == 0
    with store.session():
        assert rootfs.gc(store).busy
    report = rootfs.gc(store)
    assert (report.removed, report.bytes_freed) == (1, 4)
    assert roots[0].layers[0].exists()
    assert not roots[1].layers[0].exists()


def test_leftovers_of_a_dead_process_are_removed(store: Store) -> None:
    (store.root / "layers" / ".tmp.dead" / "closed").mkdir(parents=True)
    (store.root / "layers" / ".tmp.dead" / "closed" / "file").write_bytes(b"1234")
    (store.root / "layers" / ".tmp.dead" / "closed").chmod(0)
    report = rootfs.gc(store)
    assert (report.removed, report.bytes_freed) == (1, 4)
    assert not (store.root / "layers" / ".tmp.dead").exists()


def test_lease_of_what_is_gone_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), rootfs.lease(Rootfs(layers=(tmp_path / "gone",))):
        pass

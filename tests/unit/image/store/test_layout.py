import json
import os
from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.image import digests, render
from understudy.image.model import MediaTypeUnsupportedError
from understudy.image.store.blobs import BlobMissingError, DigestMismatchError
from understudy.image.store.layout import Store, TagUnknownError, UploadIdInvalidError

MISSING = digests.of(b"missing")


def age(store: Store) -> None:
    """Makes everything older than the grace period."""
    for path in store.root.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)


def test_constructor_touches_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "store")
    assert not (tmp_path / "store").exists()
    assert Store(tmp_path / "store").tags() == {}


def test_layout_is_an_oci_image_layout(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")], tag="team/app:v1")
    store.open()
    assert json.loads((tmp_path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((tmp_path / "index.json").read_bytes())["manifests"]
    assert entry["digest"] == image.digest
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "team/app:v1"}


def test_blob_is_read_back(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    digest = store.put(b"content")
    assert store.has(digest)
    assert store.size(digest) == 7
    assert store.read(digest) == b"content"
    with store.open_blob(digest) as blob:
        assert blob.read(3) == b"con"


def test_missing_blob_is_named(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    assert not store.has(MISSING)
    for ask in (store.size, store.read, store.open_blob, store.check, store.image):
        with pytest.raises(BlobMissingError):
            ask(MISSING)
    with pytest.raises(BlobMissingError):
        store.tag("name", MISSING)


def test_check_finds_what_the_disk_changed(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    digest = store.put(b"content")
    store.path(digest).write_bytes(b"CONTENT")
    with pytest.raises(DigestMismatchError, match="stored blob"):
        store.check(digest)


@pytest.mark.parametrize("upload_id", ["", "../x", "a/b", ".hidden", "x" * 129, "a\0"])
def test_upload_id_is_a_plain_name(tmp_path: Path, upload_id: str) -> None:
    store = store_at(tmp_path)
    with pytest.raises(UploadIdInvalidError):
        store.writer(upload_id)
    assert store.upload_size(upload_id) is None


def test_tag_moves_and_goes(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    first, second = image_of(store, [file("a")]), image_of(store, [file("b")])
    store.tag("app", first.digest)
    store.tag("app", first.digest)
    store.tag("app", second.digest)
    store.tag("other", first.digest)
    assert store.tags() == {"app": second.digest, "other": first.digest}
    assert store.image("app") == second
    store.untag("app")
    store.untag("app")
    with pytest.raises(TagUnknownError) as caught:
        store.resolve("app")
    assert caught.value.code == "tag-unknown"


def test_image_without_its_layers_is_not_stored(tmp_path: Path) -> None:
    store = store_at(tmp_path / "a")
    image = image_of(store, [file("a")])
    with pytest.raises(BlobMissingError):
        store_at(tmp_path / "b").put_image(image.manifest)
    store.path(image.manifest.layers[0].digest).write_bytes(b"short")
    with pytest.raises(DigestMismatchError, match="expected"):
        store.put_image(image.manifest)


def test_index_is_no_image(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    digest = store.put(render.document({"schemaVersion": 2, "manifests": []}))
    store.tag("index", digest)
    with pytest.raises(MediaTypeUnsupportedError):
        store.image("index")
    assert list(store.images()) == []


def test_collection_keeps_tags_pins_roots_and_the_young(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    kept = [image_of(store, [file(name)]) for name in ("tagged", "pinned", "root")]
    store.tag("app", kept[0].digest)
    store.pin("lambda", [kept[1].digest])
    lost = image_of(store, [file("lost")])
    age(store)
    young = store.put(b"young")
    report = store.gc([kept[2].digest])
    assert report.removed == 3
    assert report.bytes_freed == lost.size_bytes + len(lost.manifest.raw)
    assert store.has(young)
    for image in kept:
        for descriptor in (image.manifest.config, *image.manifest.layers):
            assert store.has(descriptor.digest)
    assert {image.digest for image in store.images()} == {image.digest for image in kept[:2]}


def test_collection_keeps_what_an_index_names(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    entry = {
        "mediaType": image.manifest.media_type,
        "digest": image.digest,
        "size": len(image.manifest.raw),
    }
    store.tag("multi", store.put(render.document({"schemaVersion": 2, "manifests": [entry]})))
    age(store)
    assert store.gc().removed == 0


def test_blob_that_is_put_again_is_young_again(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    digest = store.put(b"content")
    age(store)
    store.put(b"content")
    assert store.gc().removed == 0
    assert store.has(digest)


def test_running_session_keeps_collection_away(tmp_path: Path) -> None:
    store = store_at(tmp_path, grace_s=-1)
    store.put(b"content")
    with store.session():
        assert store.gc().busy
    assert store.gc().removed == 1


def test_pin_replaces_what_its_owner_kept(tmp_path: Path) -> None:
    store = store_at(tmp_path, grace_s=-1)
    first, second = store.put(b"1"), store.put(b"2")
    store.pin("owner", [first, second, second])
    assert store.pins() == {"owner": tuple(sorted((first, second)))}
    store.pin("owner", [second])
    assert store.gc().removed == 1
    store.pin("owner", [])
    store.pin("owner", [])
    assert store.pins() == {}
    with pytest.raises(digests.DigestInvalidError):
        store.pin("owner", ["no digest"])


def test_unfinished_uploads_are_swept_when_old_and_unlocked(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    with store.writer("old") as writer:
        writer.write(b"x" * 10)
    age(store)
    with store.writer("young") as writer:
        writer.write(b"x")
    (tmp_path / "uploads" / "tmp.dead").write_bytes(b"dead")
    busy = store.writer()
    assert store.gc().bytes_freed == 14
    assert store.upload_size("old") is None
    assert store.upload_size("young") == 1
    busy.write(b"alive")
    assert store.has(busy.commit())

from pathlib import Path

import pytest

from tests.unit.image.samples import file, image_of, store_at
from understudy.image.store import BlobMissingError, attachments
from understudy.image.store.attachments import artifact, attached

TYPE = "application/vnd.example.proof"


def test_what_is_attached_is_found_by_the_images_digest(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])

    made = attachments.attach(
        store, image.digest, TYPE, [("application/json", b'{"ok":1}')], annotations={"a": "b"}
    )

    (entry,) = attached(store, image.digest)
    assert (entry.digest, entry.artifact_type, entry.descriptor.annotations) == (
        made.digest,
        TYPE,
        {"a": "b"},
    )
    found = artifact(store, entry.digest)
    assert found.subject.digest == image.digest
    assert store.read(found.manifest.layers[0].digest) == b'{"ok":1}'


def test_other_types_are_left_out_when_one_is_asked_for(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    attachments.attach(store, image.digest, TYPE, [("text/plain", b"1")])
    attachments.attach(store, image.digest, "application/other", [("text/plain", b"2")])

    assert len(attached(store, image.digest)) == 2
    assert [entry.artifact_type for entry in attached(store, image.digest, TYPE)] == [TYPE]


def test_an_artifact_can_take_the_place_of_another(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    attachments.attach(store, image.digest, TYPE, [("text/plain", b"old")], annotations={"for": "f"})
    attachments.attach(store, image.digest, TYPE, [("text/plain", b"other")], annotations={"for": "g"})

    new = attachments.attach(
        store,
        image.digest,
        TYPE,
        [("text/plain", b"new")],
        annotations={"for": "f"},
        replaces=lambda entry: entry.descriptor.annotations["for"] == "f",
    )

    entries = {entry.descriptor.annotations["for"]: entry.digest for entry in attached(store, image.digest)}
    assert entries["f"] == new.digest
    assert set(entries) == {"f", "g"}


def test_collection_keeps_attachments_and_what_they_hold(tmp_path: Path) -> None:
    store = store_at(tmp_path, grace_s=-60)
    image = image_of(store, [file("a")], tag="kept")
    made = attachments.attach(store, image.digest, TYPE, [("text/plain", b"proof")])

    store.gc()

    assert store.read(artifact(store, made.digest).manifest.layers[0].digest) == b"proof"
    assert [one.digest for one in store.images()] == [image.digest]


def test_an_attachment_does_not_keep_its_image_and_goes_when_that_has_gone(tmp_path: Path) -> None:
    store = store_at(tmp_path, grace_s=-60)
    image = image_of(store, [file("a")])
    made = attachments.attach(store, image.digest, TYPE, [("text/plain", b"proof")])

    store.gc()
    assert not store.has(image.digest)
    assert attachments.prune(store) == 1
    store.gc()

    assert not store.has(made.digest)
    assert attached(store, image.digest) == ()


def test_nothing_can_be_attached_to_an_image_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BlobMissingError):
        attachments.attach(store_at(tmp_path), f"sha256:{'0' * 64}", TYPE, [("text/plain", b"")])

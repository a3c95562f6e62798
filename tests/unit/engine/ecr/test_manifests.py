"""What a registry reads in manifests, indexes and artifacts."""

import json
from typing import Any

import pytest

from tests.unit.engine.ecr.fixtures import config_bytes, descriptor, index_bytes, manifest_bytes
from understudy.engine.ecr import manifests
from understudy.errors import UnderstudyError
from understudy.image import digests, model

IMAGE = manifest_bytes(config_bytes(), [b"one", b"two", b"one"])


def test_image_needs_config_and_each_layer_once() -> None:
    manifest = manifests.parse(IMAGE)
    assert manifest.blobs == tuple(digests.of(each) for each in (config_bytes(), b"one", b"two"))
    assert (manifest.digest, manifest.is_index, manifest.config_type) == (
        digests.of(IMAGE),
        False,
        model.OCI_CONFIG,
    )


def test_index_needs_manifests_and_no_blobs() -> None:
    manifest = manifests.parse(index_bytes(IMAGE))
    assert (manifest.children, manifest.blobs, manifest.is_index) == ((digests.of(IMAGE),), (), True)


def test_artifact_has_subject_type_and_annotations() -> None:
    raw = manifest_bytes(
        b"{}", [], subject=descriptor(IMAGE, model.OCI_MANIFEST), artifactType="a/b", annotations={"k": "v"}
    )
    manifest = manifests.parse(raw)
    assert (manifest.subject, manifest.artifact_type, dict(manifest.annotations)) == (
        digests.of(IMAGE),
        "a/b",
        {"k": "v"},
    )


def test_foreign_layers_are_not_asked_for() -> None:
    document = json.loads(IMAGE)
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    document["layers"][0] |= {"mediaType": foreign, "urls": ["https://example.com"]}
    document["layers"] = document["layers"][:1]
    assert manifests.parse(json.dumps(document).encode()).blobs == (digests.of(config_bytes()),)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"schemaVersion": 1, "mediaType": None}, id="schema-1"),
        pytest.param({"mediaType": "application/json"}, id="unknown-type"),
        pytest.param({"config": None}, id="no-config"),
        pytest.param({"layers": "x"}, id="layers-no-list"),
        pytest.param({"layers": [{"digest": "../../etc/passwd"}]}, id="digest-no-digest"),
        pytest.param({"annotations": []}, id="annotations-no-object"),
    ],
)
def test_refuses_what_no_client_can_use(change: dict[str, Any]) -> None:
    with pytest.raises(UnderstudyError):
        manifests.parse(json.dumps(json.loads(IMAGE) | change).encode())


@pytest.mark.parametrize("raw", [b"", b"null", b"[" * 100_000, b"\xff"])
def test_refuses_what_is_no_document(raw: bytes) -> None:
    with pytest.raises(UnderstudyError):
        manifests.parse(raw)

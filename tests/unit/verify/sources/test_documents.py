from pathlib import Path

import pytest

from tests.unit.verify.samples import Layout, file
from understudy.errors import UnderstudyError
from understudy.image import model
from understudy.verify.sources import documents
from understudy.verify.sources.layout import LayoutDirectory
from understudy.verify.sources.model import ImageNotFoundError

ATTESTATION = {
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


def load(
    tmp_path: Path, layout: Layout, digest: str, platform: str = "linux/amd64"
) -> tuple[model.ImageIndex | None, model.Image]:
    layout.add({"mediaType": model.OCI_MANIFEST, "digest": digest, "size": 1})
    return documents.load(LayoutDirectory(layout.write(tmp_path)), digest, platform)


def test_a_manifest_has_no_index(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")])
    index, image = load(tmp_path, layout, entry["digest"])
    assert index is None
    assert image.digest == entry["digest"]
    assert image.config.architecture == "amd64"


def test_an_index_gives_the_wanted_platform(tmp_path: Path) -> None:
    layout = Layout()
    entries = [layout.image([file("a")], architecture=name) for name in ("amd64", "arm64")]
    digest = layout.index(*entries)["digest"]
    for platform, architecture in (("linux/amd64", "amd64"), ("linux/arm64", "arm64")):
        index, image = load(tmp_path, layout, digest, platform)
        assert index is not None
        assert index.digest == digest
        assert image.config.architecture == architecture


def test_an_index_gives_its_only_image_whatever_was_wanted(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")], architecture="arm64")
    attestation = {**layout.image([file("sbom")]), **ATTESTATION}
    index, image = load(tmp_path, layout, layout.index(entry, attestation)["digest"])
    assert index is not None
    assert len(index.manifests) == 2
    assert image.config.architecture == "arm64"


def test_an_index_with_several_others_is_an_error_that_names_them(tmp_path: Path) -> None:
    layout = Layout()
    entries = [layout.image([file("a")], architecture=name) for name in ("arm64", "s390x")]
    with pytest.raises(ImageNotFoundError, match="it offers linux/arm64, linux/s390x") as caught:
        load(tmp_path, layout, layout.index(*entries)["digest"])
    assert caught.value.hint == "build it with --platform linux/amd64"


def test_an_index_of_attestations_only_is_an_error(tmp_path: Path) -> None:
    layout = Layout()
    attestation = {**layout.image([file("sbom")]), **ATTESTATION}
    with pytest.raises(ImageNotFoundError, match="nothing to run"):
        load(tmp_path, layout, layout.index(attestation)["digest"])


def test_a_variant_is_no_obstacle(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")], architecture="arm64")
    entry["platform"]["variant"] = "v8"
    other = layout.image([file("a")])
    _, image = load(tmp_path, layout, layout.index(other, entry)["digest"], "linux/arm64")
    assert image.config.architecture == "arm64"


def test_a_document_that_was_changed_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")])
    name = f"blobs/sha256/{entry['digest'][7:]}"
    layout.files[name] = layout.files[name].replace(b"schemaVersion", b"schemaversion")
    with pytest.raises(UnderstudyError, match="has content") as caught:
        load(tmp_path, layout, entry["digest"])
    assert caught.value.code == "digest-mismatch"


def test_a_document_without_end_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")])
    layout.files[f"blobs/sha256/{entry['digest'][7:]}"] = bytes(5 << 20)
    with pytest.raises(UnderstudyError, match="more than"):
        load(tmp_path, layout, entry["digest"])


def test_knows_images_from_other_documents() -> None:
    layout = Layout()
    entry = layout.image([file("a")])
    raw = layout.files[f"blobs/sha256/{entry['digest'][7:]}"]
    assert documents.is_manifest(raw)
    assert documents.is_manifest(b'{"schemaVersion":2,"manifests":[]}')
    assert not documents.is_manifest(b'{"architecture":"amd64"}')
    assert not documents.is_manifest(b"not json")


def test_a_made_up_manifest_can_be_parsed() -> None:
    digest = f"sha256:{'1' * 64}"
    found = model.parse_manifest(documents.manifest_bytes(b"{}", [(model.OCI_LAYER, digest, 7)]))
    assert [(layer.media_type, layer.digest, layer.size_bytes) for layer in found.layers] == [
        (model.OCI_LAYER, digest, 7)
    ]

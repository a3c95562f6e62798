import json
from pathlib import Path

import pytest

from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import store_at
from tests.unit.verify.samples import Layout, file
from understudy.image import model, reference
from understudy.image.registry.auth import Auth
from understudy.image.registry.errors import RegistryNotFoundError
from understudy.image.registry.http import RegistryHttp
from understudy.verify import subject
from understudy.verify.sources import registry
from understudy.verify.sources.model import ImageNotFoundError, ImageSource, closing

HOST = "registry.invalid"


def way_to(fake: FakeRegistry) -> RegistryHttp:
    return RegistryHttp(
        HOST, auth=Auth.anonymous(), insecure_http=True, sleep=lambda _: None, transport=fake.transport()
    )


def serve(layout: Layout, digest: str) -> FakeRegistry:
    """A registry with everything of `layout`, and the tag ``1`` for the document `digest`."""
    fake = FakeRegistry()
    blobs = {f"sha256:{name[-64:]}": data for name, data in layout.files.items() if name.startswith("blobs/")}
    fake.blobs["team/app"] = blobs
    documents = {name: data for name, data in blobs.items() if b'"schemaVersion"' in data[:40]}
    fake.manifests["team/app"] = {
        name: (json.loads(data)["mediaType"], data)
        for name, data in [*documents.items(), ("1", documents[digest])]
    }
    return fake


def opened(fake: FakeRegistry, tmp_path: Path, platform: str = "linux/amd64", tag: str = "1") -> ImageSource:
    ref = reference.parse(f"{HOST}/team/app:{tag}")
    return registry.open_image(f"{HOST}/team/app:{tag}", ref, store_at(tmp_path), platform, way_to(fake))


def test_layers_go_to_the_store_and_a_second_time_costs_documents_only(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a", b"1")], [file("b", b"2")])
    fake = serve(layout, entry["digest"])
    source = opened(fake, tmp_path)
    assert (source.image.digest, source.index, source.exported, source.trusted) == (
        entry["digest"],
        None,
        False,
        True,
    )
    with closing(source) as source:
        assert subject.load(source).files.read("/b") == b"2"
    fake.requests.clear()
    opened(fake, tmp_path)
    assert not [line for line in fake.requests if "/blobs/" in line]
    assert store_at(tmp_path).tags() == {}


def test_an_index_is_kept_and_the_platforms_image_is_taken(tmp_path: Path) -> None:
    layout = Layout()
    entries = [layout.image([file("a")], architecture=name) for name in ("amd64", "arm64")]
    index = layout.index(*entries)
    source = opened(serve(layout, index["digest"]), tmp_path, "linux/arm64")
    assert source.index is not None
    assert source.index.digest == index["digest"]
    assert source.image.config.architecture == "arm64"


def test_an_image_for_another_platform_is_taken_when_it_is_the_only_one(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")], architecture="arm64")
    assert opened(serve(layout, entry["digest"]), tmp_path).image.config.architecture == "arm64"


def test_an_index_without_the_platform_is_our_error(tmp_path: Path) -> None:
    layout = Layout()
    entries = [layout.image([file("a")], architecture=name) for name in ("s390x", "arm64")]
    index = layout.index(*entries)
    with pytest.raises(ImageNotFoundError, match="is not made for linux/amd64"):
        opened(serve(layout, index["digest"]), tmp_path)


def test_a_layer_that_the_registry_lost_is_a_problem_of_the_layer(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image([file("a")], [file("b")])
    fake = serve(layout, entry["digest"])
    manifest = model.parse_manifest(layout.files[f"blobs/sha256/{entry['digest'][7:]}"])
    del fake.blobs["team/app"][manifest.layers[1].digest]
    found = subject.load(opened(fake, tmp_path))
    assert [bool(layer.problem) for layer in found.layers] == [False, True]


def test_zstd_layers_come_too_and_are_a_problem_of_the_layer(tmp_path: Path) -> None:
    layout = Layout()
    packed = layout.blob(b"\x28\xb5\x2f\xfd" + bytes(60), "application/vnd.oci.image.layer.v1.tar+zstd")
    entry = layout.image([file("a")])
    document = json.loads(layout.files[f"blobs/sha256/{entry['digest'][7:]}"])
    document["layers"] = [packed]
    digest = layout.blob(json.dumps(document).encode(), model.OCI_MANIFEST)["digest"]
    found = subject.load(opened(serve(layout, digest), tmp_path))
    assert found.layers[0].media_type == "application/vnd.oci.image.layer.v1.tar+zstd"
    assert "zstd" in found.layers[0].problem


def test_an_unknown_tag_is_our_error(tmp_path: Path) -> None:
    layout = Layout()
    fake = serve(layout, layout.image([file("a")])["digest"])
    with pytest.raises(RegistryNotFoundError):
        opened(fake, tmp_path, tag="other")

from pathlib import Path

import pytest

from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file, image_of, store_at
from understudy.image import model, reference, render
from understudy.image.model import ImageIndex, MediaTypeUnsupportedError
from understudy.image.registry import client as registry
from understudy.image.registry.auth import Auth
from understudy.image.registry.client import PlatformMissingError, RegistryClient
from understudy.image.registry.http import RegistryHttp
from understudy.image.store import DigestMismatchError

HOST = "registry.invalid"


def client_of(fake: FakeRegistry, auth: Auth | None = None) -> RegistryClient:
    http = RegistryHttp(
        HOST,
        auth=auth or Auth.anonymous(),
        insecure_http=True,
        sleep=lambda _: None,
        transport=fake.transport(),
    )
    return RegistryClient(HOST, http=http)


def index_of(*platforms: dict[str, str] | None) -> ImageIndex:
    digest = "sha256:{:064x}"
    entries = [
        {"mediaType": model.OCI_MANIFEST, "digest": digest.format(number), "size": 1}
        | ({"platform": platform} if platform else {})
        for number, platform in enumerate(platforms)
    ]
    return model.parse_index(render.document({"manifests": entries}))


@pytest.mark.parametrize(
    ("platform", "number"),
    [("linux/amd64", 2), ("linux/arm64", 3), ("linux/arm64/v8", 3), ("linux/arm/v6", 4)],
)
def test_platform_is_chosen(platform: str, number: int) -> None:
    index = index_of(
        None,
        {"os": "unknown", "architecture": "unknown"},
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm64", "variant": "v8"},
        {"os": "linux", "architecture": "arm", "variant": "v6"},
    )
    assert registry.choose(index, platform).digest.endswith(str(number))


def test_missing_platform_lists_what_there_is_without_attestations() -> None:
    index = index_of({"os": "unknown", "architecture": "unknown"}, {"os": "windows", "architecture": "amd64"})
    with pytest.raises(PlatformMissingError, match="only for windows/amd64\n"):
        registry.choose(index, "linux/amd64")
    with pytest.raises(PlatformMissingError, match="no platform at all"):
        registry.choose(index_of(None), "linux/amd64")


@pytest.mark.parametrize("request_number", range(6, 16))
def test_whole_flow_with_tokens_that_end_on_the_way(tmp_path: Path, request_number: int) -> None:
    fake = FakeRegistry(users={"user": "pass"}, tokens=True)
    fake.expire_at_requests = {request_number}
    store, other = store_at(tmp_path / "a"), store_at(tmp_path / "b")
    image = image_of(store, [file("a")], [file("b")], [file("c")])
    with client_of(fake, Auth.basic("user", "pass")) as client:
        client.push(image, store, "team/app", ["v1"])
        fake.expire_at_requests = {len(fake.requests) + 3}
        assert client.pull("team/app:v1", other) == image
    assert fake.requests.count("GET /token") > 2


def test_tag_that_already_means_the_image_is_left_alone(tmp_path: Path) -> None:
    fake = FakeRegistry()
    store = store_at(tmp_path)
    image = image_of(store, [file("a")])
    with client_of(fake) as client:
        client.push(image, store, "team/app", ["v1"])
        fake.requests.clear()
        client.push(image, store, "team/app", ["v1"])
    assert not [line for line in fake.requests if line.startswith("PUT")]


def test_manifest_of_another_digest_is_refused(tmp_path: Path) -> None:
    fake = FakeRegistry()
    wrong = "sha256:" + "0" * 64
    fake.manifests["team/app"] = {wrong: (model.OCI_MANIFEST, b"{}")}
    with client_of(fake) as client, pytest.raises(DigestMismatchError):
        client.pull(f"team/app@{wrong}", store_at(tmp_path))


def test_layer_that_lambda_refuses_is_not_pulled(tmp_path: Path) -> None:
    fake = FakeRegistry()
    zstd = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+zstd",
        "digest": "sha256:" + "0" * 64,
        "size": 1,
    }
    raw = render.document({"config": {**zstd, "mediaType": model.OCI_CONFIG}, "layers": [zstd]})
    fake.manifests["team/app"] = {"v1": (model.OCI_MANIFEST, raw)}
    with client_of(fake) as client, pytest.raises(MediaTypeUnsupportedError, match="zstd"):
        client.pull("team/app:v1", store_at(tmp_path))


def test_index_within_an_index_is_refused(tmp_path: Path) -> None:
    fake = FakeRegistry()
    inner = index_of({"os": "linux", "architecture": "amd64"})
    entry = {
        "mediaType": model.OCI_INDEX,
        "digest": inner.digest,
        "size": len(inner.raw),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    outer = render.document({"manifests": [entry]})
    fake.manifests["team/app"] = {"v1": (model.OCI_INDEX, outer), inner.digest: (model.OCI_INDEX, inner.raw)}
    with client_of(fake) as client, pytest.raises(MediaTypeUnsupportedError, match="within an index"):
        client.pull("team/app:v1", store_at(tmp_path))


def test_references_may_be_short_full_or_parsed() -> None:
    fake = FakeRegistry()
    fake.manifests["team/app"] = {"v1": (model.OCI_MANIFEST, b"x")}
    with client_of(fake) as client:
        for ref in ("team/app:v1", f"{HOST}/team/app:v1", reference.parse(f"{HOST}/team/app:v1")):
            assert client.head(ref) is not None
        assert client.head("team/app:v2") is None


def test_tags_come_page_by_page() -> None:
    fake = FakeRegistry()
    names = [f"t{number:04}" for number in range(2500)]
    fake.manifests["team/app"] = dict.fromkeys(names, ("x", b""))
    with client_of(fake) as client:
        assert list(client.tags("team/app")) == names
    assert len(fake.requests) == 3

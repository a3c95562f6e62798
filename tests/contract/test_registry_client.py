"""One suite against the fake registry and Debian's docker-registry: what holds here holds in unit tests."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.registry_servers import PASSWORD, USER, BreakingDoor, docker_registry
from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file, image_of, noise, store_at
from understudy.image import digests, model, render
from understudy.image.model import Descriptor, Image
from understudy.image.registry import Auth, RegistryClient, RegistryUnreachableError, Timeouts
from understudy.image.registry.client import PlatformMissingError
from understudy.image.registry.errors import (
    RegistryNotFoundError,
    RegistryRejectedError,
    RegistryUnauthorizedError,
)
from understudy.image.registry.events import BlobDone, BlobProgress, RegistryEvent, Retrying
from understudy.image.store import Store

BIG = 4 << 20


@pytest.fixture(params=["fake", "docker-registry"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A registry that lets everyone in."""
    if request.param == "fake":
        with FakeRegistry().serving() as address:
            yield address
    else:
        with docker_registry(tmp_path) as address:
            yield address


@pytest.fixture(params=["fake", "docker-registry"])
def private_host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A registry that wants Basic credentials."""
    if request.param == "fake":
        with FakeRegistry(users={USER: PASSWORD}).serving() as address:
            yield address
    else:
        with docker_registry(tmp_path, password=True) as address:
            yield address


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


@pytest.fixture
def image(store: Store) -> Image:
    return image_of(store, [file("small")], [file("big", noise(BIG))])


def test_pushed_image_is_pulled_with_the_same_digest_and_bytes(
    host: str, store: Store, image: Image, tmp_path: Path
) -> None:
    other = store_at(tmp_path / "other")
    with RegistryClient(host) as client:
        report = client.push(image, store, "team/app", ["v1"])
        pulled = client.pull("team/app:v1", other)
    assert report.digest == image.digest == pulled.digest
    assert (report.blobs_sent, report.blobs_skipped) == (3, 0)
    assert report.bytes_sent == image.size_bytes
    assert pulled == image
    for layer in image.manifest.layers:
        other.check(layer.digest)


def test_unchanged_image_is_pushed_without_sending_a_blob(host: str, store: Store, image: Image) -> None:
    with RegistryClient(host) as client:
        client.push(image, store, "team/app", ["v1"])
        again = client.push(image, store, "team/app", ["v1", "v2"])
        assert (again.blobs_sent, again.bytes_sent, again.blobs_skipped) == (0, 0, 3)
        assert set(client.tags("team/app")) == {"v1", "v2"}


def test_only_missing_blobs_are_pulled(host: str, store: Store, image: Image, tmp_path: Path) -> None:
    other = store_at(tmp_path / "other")
    image_of(other, [file("small")])
    events: list[RegistryEvent] = []
    with RegistryClient(host) as client:
        client.push(image, store, "team/app", ["v1"])
        client.pull("team/app:v1", other, progress=events.append)
    outcomes = {event.digest: event.outcome for event in events if isinstance(event, BlobDone)}
    assert outcomes[image.manifest.layers[0].digest] == "present"
    assert outcomes[image.manifest.layers[1].digest] == "received"
    assert any(isinstance(event, BlobProgress) and event.done_bytes > BIG for event in events)


def test_layers_are_mounted_from_another_repository(host: str, store: Store, image: Image) -> None:
    with RegistryClient(host) as client:
        client.push(image, store, "team/first", ["v1"])
        homes = {blob.digest: "team/first" for blob in (image.manifest.config, *image.manifest.layers)}
        report = client.push(image, store, "team/second", ["v1"], mount_from=homes)
    assert (report.blobs_sent, report.blobs_mounted) == (0, 3)


def test_image_without_tag_is_pushed_and_pulled_by_digest(
    host: str, store: Store, image: Image, tmp_path: Path
) -> None:
    with RegistryClient(host) as client:
        client.push(image, store, "team/app")
        pulled = client.pull(f"team/app@{image.digest}", store_at(tmp_path / "other"))
    assert pulled.digest == image.digest


def test_docker_media_types_survive_the_round_trip(host: str, store: Store, tmp_path: Path) -> None:
    image = image_of(store, [file("a")], docker=True)
    with RegistryClient(host) as client:
        client.push(image, store, "team/docker", ["v1"])
        pulled = client.pull("team/docker:v1", store_at(tmp_path / "other"))
        head = client.head("team/docker:v1")
    assert pulled.manifest.media_type == model.DOCKER_MANIFEST
    assert pulled.digest == image.digest
    assert head == Descriptor(
        media_type=model.DOCKER_MANIFEST, digest=image.digest, size_bytes=len(image.manifest.raw)
    )


def test_interrupted_upload_goes_on_where_it_stopped(host: str, store: Store, image: Image) -> None:
    events: list[RegistryEvent] = []
    with BreakingDoor(host, upstream_bytes=BIG // 2) as door, RegistryClient(door.address) as client:
        report = client.push(image, store, "team/app", ["v1"], progress=events.append)
    assert report.blobs_sent == 3
    assert any(isinstance(event, Retrying) for event in events)
    with RegistryClient(host) as client:
        head = client.head("team/app:v1")
    assert head is not None
    assert head.digest == image.digest


def test_interrupted_download_goes_on_where_it_stopped(
    host: str, store: Store, image: Image, tmp_path: Path
) -> None:
    other = store_at(tmp_path / "other")
    events: list[RegistryEvent] = []
    with RegistryClient(host) as client:
        client.push(image, store, "team/app", ["v1"])
    with (
        BreakingDoor(host, downstream_bytes=BIG // 2) as door,
        RegistryClient(door.address) as client,
    ):
        pulled = client.pull("team/app:v1", other, progress=events.append)
    assert pulled.digest == image.digest
    assert any(isinstance(event, Retrying) for event in events)
    offsets = [event.done_bytes for event in events if isinstance(event, BlobProgress)]
    big = [offset for offset in offsets if offset > 100_000]
    assert big == sorted(big), "the second attempt began after the bytes of the first"


def test_download_that_another_process_began_is_finished(
    host: str, store: Store, image: Image, tmp_path: Path
) -> None:
    other = store_at(tmp_path / "other")
    big = image.manifest.layers[1]
    with other.writer(f"pull-{digests.hex_of(big.digest)}") as partial:
        partial.write(store.read(big.digest)[:1_000_000])
    events: list[RegistryEvent] = []
    with RegistryClient(host) as client:
        client.push(image, store, "team/app", ["v1"])
        client.pull("team/app:v1", other, progress=events.append)
    first = next(e for e in events if isinstance(e, BlobProgress) and e.digest == big.digest)
    assert first.done_bytes > 1_000_000


def test_damaged_leftover_of_another_process_is_fetched_anew(
    host: str, store: Store, image: Image, tmp_path: Path
) -> None:
    other = store_at(tmp_path / "other")
    big = image.manifest.layers[1]
    with other.writer(f"pull-{digests.hex_of(big.digest)}") as partial:
        partial.write(b"x" * 1000)
    with RegistryClient(host) as client:
        client.push(image, store, "team/app", ["v1"])
        client.pull("team/app:v1", other)
    other.check(big.digest)


def test_index_gives_the_image_of_the_platform(host: str, store: Store, tmp_path: Path) -> None:
    amd = image_of(store, [file("a")], architecture="amd64")
    arm = image_of(store, [file("a")], architecture="arm64")
    entries = [
        {
            "mediaType": image.manifest.media_type,
            "digest": image.digest,
            "size": len(image.manifest.raw),
            "platform": {"os": "linux", "architecture": image.config.architecture},
        }
        for image in (arm, amd)
    ]
    index = render.document({"schemaVersion": 2, "mediaType": model.OCI_INDEX, "manifests": entries})
    other = store_at(tmp_path / "other")
    with RegistryClient(host) as client:
        client.push(amd, store, "team/multi")
        client.push(arm, store, "team/multi")
        httpx.put(
            f"http://{host}/v2/team/multi/manifests/v1",
            content=index,
            headers={"Content-Type": model.OCI_INDEX},
            trust_env=False,
            timeout=60,
        ).raise_for_status()
        assert client.pull("team/multi:v1", other).digest == amd.digest
        assert client.pull("team/multi:v1", other, platform="linux/arm64").digest == arm.digest
        with pytest.raises(PlatformMissingError, match="linux/amd64, linux/arm64"):
            client.pull("team/multi:v1", other, platform="linux/s390x")


def test_single_image_of_another_platform_is_refused(host: str, store: Store, tmp_path: Path) -> None:
    arm = image_of(store, [file("a")], architecture="arm64")
    with RegistryClient(host) as client:
        client.push(arm, store, "team/arm", ["v1"])
        with pytest.raises(PlatformMissingError, match="only for linux/arm64"):
            client.pull("team/arm:v1", store_at(tmp_path / "other"))


def test_unknown_image_is_named(host: str, store: Store) -> None:
    with RegistryClient(host) as client:
        assert client.head("team/none:v1") is None
        with pytest.raises(RegistryNotFoundError) as caught:
            client.pull("team/none:v1", store)
    assert caught.value.code == "registry-not-found"
    assert caught.value.hint


def test_many_tags_come_in_pages(host: str, store: Store) -> None:
    image = image_of(store, [file("a")])
    names = [f"t{number}" for number in range(5)]
    with RegistryClient(host) as client:
        client.push(image, store, "team/app", names)
        assert sorted(client.tags("team/app")) == names


def test_basic_credentials_open_a_private_registry(private_host: str, store: Store, image: Image) -> None:
    with RegistryClient(private_host, auth=Auth.basic(USER, PASSWORD)) as client:
        assert client.push(image, store, "team/app", ["v1"]).blobs_sent == 3
        assert client.head("team/app:v1") is not None


@pytest.mark.parametrize(
    ("auth", "text"),
    [
        pytest.param(Auth.anonymous(), "none are stored", id="no credentials"),
        pytest.param(Auth.basic(USER, "wrong"), "refused the credentials", id="wrong password"),
    ],
)
def test_closed_door_is_named_without_the_password(
    private_host: str, store: Store, image: Image, auth: Auth, text: str
) -> None:
    with (
        RegistryClient(private_host, auth=auth) as client,
        pytest.raises(RegistryUnauthorizedError, match=text) as caught,
    ):
        client.push(image, store, "team/app", ["v1"])
    assert "wrong" not in str(caught.value)
    assert caught.value.hint == f"docker login {private_host}"


def test_missing_host_fails_at_once(store: Store) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{probe.getsockname()[1]}"
        waits: list[float] = []
        with (
            RegistryClient(closed, timeouts=Timeouts(connect_s=1)) as client,
            pytest.raises(RegistryUnreachableError) as caught,
        ):
            client.pull("team/app:v1", store)
    assert caught.value.retryable
    assert not waits


def test_proxy_settings_do_not_apply_to_this_machine(
    host: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with RegistryClient(host) as client:
        assert client.head("team/none:v1") is None


def test_rejection_carries_the_registry_reason(host: str, store: Store, image: Image) -> None:
    with RegistryClient(host) as client, pytest.raises((RegistryRejectedError, RegistryNotFoundError)):
        client.tags("Not A Name")

"""A push over a connection that breaks at every chunk, against three registries; and the registry's own lies.

Every chunk boundary of the largest layer, for each registry, both within one push and across two.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import figures
from tests.contract.engine_registry_client import Server
from tests.contract.registry_servers import BreakingDoor, docker_registry
from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file, image_of, noise, store_at
from understudy.image.model import Image
from understudy.image.registry import Auth, RegistryClient, RegistryUnreachableError
from understudy.image.registry.errors import RegistryDigestError
from understudy.image.registry.events import RegistryEvent, Retrying
from understudy.image.registry.http import RegistryHttp, Timeouts
from understudy.image.store import Store

CHUNK = 64 * 1024
BIG = 8 * CHUNK
BOUNDARIES = range(1, BIG // CHUNK + 1)
REGISTRIES = ("fake", "docker-registry", "engine")


class Room:
    """One registry, and images to push that it has never seen a byte of."""

    def __init__(self, host: str, folder: Path, create: Callable[[str], object]) -> None:
        self.host = host
        self.folder = folder
        self._create = create
        self._seed = 0
        self.cut = self.whole = self.given_up = 0

    def image(self, store: Store) -> tuple[str, Image]:
        """An image with fresh bytes, and a repository for it."""
        self._seed += 1
        name = f"team/app{self._seed}"
        self._create(name)
        return name, image_of(store, [file(f"small{self._seed}")], [file("big", noise(BIG, self._seed))])

    def check(self, repository: str, image: Image, store: Store) -> None:
        """The registry gives back the bytes that were pushed, under both tags."""
        self._seed += 1
        other = store_at(self.folder / f"check{self._seed}")
        with RegistryClient(self.host) as client:
            assert client.pull(f"{repository}:latest", other) == image
            assert set(client.tags(repository)) == {"latest", "abc-dirty"}
        for layer in image.manifest.layers:
            assert other.read(layer.digest) == store.read(layer.digest)
        self.whole += 1

    def figure(self, name: str) -> str:
        """What came of all the interruptions."""
        return (
            f"{name}: {self.whole} of {self.cut} uploads cut at a chunk boundary ended whole, "
            f"{self.given_up} of them by the next push"
        )


@pytest.fixture(scope="module", params=REGISTRIES)
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    with serving(request.param, folder) as found:
        yield found
        figures.tell(found.figure(request.param))


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Room]:
    """A room at the registry of that name."""
    if name == "fake":
        with FakeRegistry().serving() as host:
            yield Room(host, folder, lambda _: None)
    elif name == "docker-registry":
        with docker_registry(folder) as host:
            yield Room(host, folder, lambda _: None)
    else:
        server = Server(folder / "engine").start()
        try:
            yield Room(server.host, folder, lambda name: server.ecr().create_repository(repositoryName=name))
        finally:
            server.stop()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


def _push(host: str, image: Image, store: Store, repository: str) -> list[RegistryEvent]:
    events: list[RegistryEvent] = []
    http = RegistryHttp(host, auth=Auth.anonymous(), sleep=lambda _: None, timeouts=Timeouts(read_s=10))
    with RegistryClient(host, http=http) as client:
        client.push(image, store, repository, ["latest", "abc-dirty"], progress=events.append)
    return events


@pytest.mark.parametrize("chunk", BOUNDARIES)
def test_upload_cut_at_any_chunk_goes_on_within_the_same_push(room: Room, store: Store, chunk: int) -> None:
    repository, image = room.image(store)
    with BreakingDoor(room.host, upstream_bytes=chunk * CHUNK) as door:
        events = _push(door.address, image, store, repository)
    assert any(isinstance(event, Retrying) for event in events), "the connection broke"
    room.cut += 1
    room.check(repository, image, store)


@pytest.mark.parametrize("chunk", BOUNDARIES)
def test_upload_given_up_at_any_chunk_is_finished_by_the_next_push(
    room: Room, store: Store, chunk: int
) -> None:
    repository, image = room.image(store)
    with BreakingDoor(room.host, upstream_bytes=chunk * CHUNK, times=1000) as door:
        given_up = False
        try:
            _push(door.address, image, store, repository)
        except RegistryUnreachableError as error:
            given_up = error.retryable
    room.cut += 1
    room.given_up += given_up
    if given_up:
        with RegistryClient(room.host) as client:
            assert client.head(f"{repository}:latest") is None, "nothing is tagged before all is there"
    _push(room.host, image, store, repository)
    room.check(repository, image, store)


@pytest.mark.parametrize("number", range(1, 15))
def test_credentials_that_end_before_any_request_are_renewed(store: Store, number: int) -> None:
    fake = FakeRegistry(users={"AWS": "first"})
    fake.passwords, fake.expire_at_requests = ["second"], {number}
    image = image_of(store, [file("small")], [file("big", noise(BIG))])

    def renewed() -> Auth:
        return Auth.basic("AWS", fake.users["AWS"], renew=renewed)

    with fake.serving() as host, RegistryClient(host, auth=renewed()) as client:
        assert client.push(image, store, "team/app", ["latest"]).blobs_sent == 3
        found = client.head("team/app:latest")
    assert found is not None
    assert found.digest == image.digest


@pytest.mark.parametrize("number", range(16))
def test_any_request_that_fails_once_is_made_again(store: Store, number: int) -> None:
    fake = FakeRegistry()
    fake.status_at[number] = (500, 503, 429)[number % 3]
    image = image_of(store, [file("small")], [file("big", noise(BIG))])
    with fake.serving() as host:
        _push(host, image, store, "team/app")
        with RegistryClient(host) as client:
            found = client.head("team/app:latest")
    assert found is not None
    assert found.digest == image.digest


def test_a_registry_that_keeps_other_bytes_gets_no_tag(store: Store) -> None:
    """Found out with the first answer that lies: of a blob, then of the manifest, which comes before tags."""
    fake = FakeRegistry()
    image = image_of(store, [file("small")])
    fake.answers_digest = f"sha256:{0:064x}"
    with fake.serving() as host:
        told = [""]
        while "manifest" not in told[-1]:
            with pytest.raises(RegistryDigestError, match="; nothing was tagged") as caught:
                _push(host, image, store, "team/app")
            told.append(caught.value.message)
            assert "latest" not in fake.manifests.get("team/app", {})
        assert "answered blob" in told[1]
        fake.answers_digest = None
        _push(host, image, store, "team/app")
    assert "latest" in fake.manifests["team/app"]

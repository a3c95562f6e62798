from pathlib import Path

import pytest

from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import noise, store_at
from understudy.image import digests
from understudy.image.model import Descriptor
from understudy.image.registry.auth import Auth
from understudy.image.registry.blobs import BlobTransfer
from understudy.image.registry.errors import (
    RegistryDigestError,
    RegistryNotFoundError,
    RegistryRejectedError,
    RegistryUnreachableError,
)
from understudy.image.registry.events import BlobProgress, RegistryEvent, Retrying
from understudy.image.registry.http import RegistryHttp
from understudy.image.store import BlobMissingError, DigestMismatchError

DATA = noise(1 << 20)
BLOB = Descriptor(media_type="x", digest=digests.of(DATA), size_bytes=len(DATA))


class Room:
    def __init__(self, path: Path) -> None:
        self.fake = FakeRegistry()
        self.store = store_at(path)
        self.events: list[RegistryEvent] = []
        http = RegistryHttp(
            "registry.invalid",
            auth=Auth.anonymous(),
            insecure_http=True,
            sleep=lambda _: None,
            transport=self.fake.transport(),
        )
        self.transfer = BlobTransfer(http, "team/app", self.store, self.events.append)

    @property
    def retries(self) -> int:
        return sum(isinstance(event, Retrying) for event in self.events)

    @property
    def sent(self) -> bytes:
        return self.fake.blobs["team/app"][BLOB.digest]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_pull_goes_on_at_the_byte_where_it_broke(room: Room) -> None:
    room.fake.blobs["team/app"] = {BLOB.digest: DATA}
    room.fake.cut_download_at = 400_000
    room.transfer.pull(BLOB)
    room.store.check(BLOB.digest)
    assert room.retries == 1


def test_pull_from_a_registry_without_ranges_skips_what_it_has(room: Room) -> None:
    room.fake.ranges = False
    room.fake.blobs["team/app"] = {BLOB.digest: DATA}
    room.fake.cut_download_at = 400_000
    room.transfer.pull(BLOB)
    room.store.check(BLOB.digest)


def test_pull_of_other_bytes_is_refused_and_leaves_nothing(room: Room) -> None:
    room.fake.blobs["team/app"] = {BLOB.digest: DATA[:-1] + b"!"}
    with pytest.raises(DigestMismatchError):
        room.transfer.pull(BLOB)
    assert not room.store.has(BLOB.digest)
    assert list((room.store.root / "uploads").iterdir()) == []


def test_pull_of_more_bytes_than_announced_stops(room: Room) -> None:
    room.fake.blobs["team/app"] = {BLOB.digest: DATA + b"more"}
    with pytest.raises(DigestMismatchError, match="longer than"):
        room.transfer.pull(BLOB)


def test_pull_beside_another_process_does_not_wait(room: Room) -> None:
    room.fake.blobs["team/app"] = {BLOB.digest: DATA}
    with room.store.writer(f"pull-{digests.hex_of(BLOB.digest)}"):
        room.transfer.pull(BLOB)
    room.store.check(BLOB.digest)


def test_pull_gives_up_when_the_connection_keeps_breaking(room: Room) -> None:
    room.fake.blobs["team/app"] = {BLOB.digest: DATA[:1000]}
    with pytest.raises(RegistryUnreachableError, match="too early"):
        room.transfer.pull(BLOB)
    assert room.retries == 4


def test_pull_of_a_blob_that_is_not_there_is_named(room: Room) -> None:
    with pytest.raises(RegistryNotFoundError):
        room.transfer.pull(BLOB)


def test_push_goes_on_at_the_byte_where_it_broke(room: Room) -> None:
    room.store.put(DATA)
    room.fake.cut_upload_at = 400_000
    assert room.transfer.push(BLOB) == "sent"
    assert room.sent == DATA
    assert room.retries == 1
    offsets = [event.done_bytes for event in room.events if isinstance(event, BlobProgress)]
    assert min(offsets[3:]) > 400_000, "what the registry had was not sent again"


def test_push_starts_anew_when_the_registry_forgot_the_upload(room: Room) -> None:
    room.store.put(DATA)
    room.fake.cut_upload_at = 400_000
    room.fake.forgets_uploads = True
    assert room.transfer.push(BLOB) == "sent"
    assert room.sent == DATA


@pytest.mark.parametrize("cut_at", [0, 1, 2, 3, 4])
def test_small_push_that_breaks_is_never_sent_twice(room: Room, cut_at: int) -> None:
    small = Descriptor(media_type="x", digest=room.store.put(b"small"), size_bytes=5)
    room.fake.cut_upload_at = cut_at
    assert room.transfer.push(small) == "sent"
    assert room.fake.blobs["team/app"][small.digest] == b"small"


def test_push_whose_last_answer_was_lost_is_done(room: Room) -> None:
    room.store.put(DATA)
    room.fake.loses_answer_to = "PUT"
    assert room.transfer.push(BLOB) == "sent"
    assert room.sent == DATA
    assert sum(line.startswith("PATCH") for line in room.fake.requests) == 1


def test_registry_that_answers_a_blob_with_another_digest_is_refused(room: Room) -> None:
    room.store.put(DATA)
    room.fake.answers_digest = "sha256:" + "0" * 64
    with pytest.raises(RegistryDigestError, match="nothing was tagged"):
        room.transfer.push(BLOB)


def test_push_survives_an_answer_that_may_pass(room: Room) -> None:
    room.store.put(DATA)
    room.transfer.exists(BLOB.digest)
    room.fake.statuses = [503]
    assert room.transfer.push(BLOB) == "sent"
    assert room.sent == DATA


def test_push_that_is_refused_is_an_error(room: Room) -> None:
    room.store.put(DATA)
    room.fake.statuses = [404, 400]
    with pytest.raises(RegistryRejectedError, match="400 ORDERED"):
        room.transfer.push(BLOB)


def test_push_of_what_is_there_sends_nothing(room: Room) -> None:
    room.store.put(DATA)
    room.fake.blobs["team/app"] = {BLOB.digest: DATA}
    assert room.transfer.push(BLOB) == "present"
    assert len(room.fake.requests) == 1


def test_push_of_a_small_blob_takes_three_requests(room: Room) -> None:
    small = Descriptor(media_type="x", digest=room.store.put(b"small"), size_bytes=5)
    assert room.transfer.push(small) == "sent"
    assert [line.split()[0] for line in room.fake.requests] == ["HEAD", "POST", "PUT"]


def test_push_mounts_what_another_repository_has(room: Room) -> None:
    room.store.put(DATA)
    room.fake.blobs["team/other"] = {BLOB.digest: DATA}
    assert room.transfer.push(BLOB, mount_from="team/other") == "mounted"
    assert room.transfer.push(BLOB, mount_from="team/other") == "present"


def test_push_of_what_the_store_lacks_is_named(room: Room) -> None:
    with pytest.raises(BlobMissingError):
        room.transfer.push(BLOB)

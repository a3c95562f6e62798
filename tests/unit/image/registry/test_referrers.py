from pathlib import Path

from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file, image_of, store_at
from understudy.image import referrers
from understudy.image.referrers import Artifact
from understudy.image.registry.auth import Auth
from understudy.image.registry.http import RegistryHttp
from understudy.image.registry.referrers import ReferrerTransfer
from understudy.image.store import Store, attachments


def transfer_to(fake: FakeRegistry, store: Store) -> ReferrerTransfer:
    http = RegistryHttp(
        "registry.invalid",
        auth=Auth.anonymous(),
        insecure_http=True,
        sleep=lambda _: None,
        transport=fake.transport(),
    )
    return ReferrerTransfer(http, "team/app", store)


def attached(store: Store, content: bytes = b"proof", number: int = 0) -> Artifact:
    image = image_of(store, [file("a")])
    return attachments.attach(
        store, image.digest, "application/x", [("text/plain", content)], annotations={"n": str(number)}
    )


def test_artifact_arrives_with_config_and_layers(tmp_path: Path) -> None:
    fake, store = FakeRegistry(), store_at(tmp_path)
    artifact = attached(store)

    assert transfer_to(fake, store).push(artifact)

    assert fake.manifests["team/app"][artifact.digest][1] == artifact.manifest.raw
    assert sorted(fake.blobs["team/app"].values()) == [b"proof", b"{}"]
    assert referrers.tag_of(artifact.subject.digest) not in fake.manifests["team/app"]


def test_artifact_that_is_there_is_not_sent_again(tmp_path: Path) -> None:
    fake, store = FakeRegistry(), store_at(tmp_path)
    artifact = attached(store)
    transfer_to(fake, store).push(artifact)
    before = len(fake.requests)

    assert not transfer_to(fake, store).push(artifact)

    assert fake.requests[before:] == [f"HEAD /v2/team/app/manifests/{artifact.digest}"]


def test_registry_without_referrers_gets_the_list_under_their_tag(tmp_path: Path) -> None:
    fake, store = FakeRegistry(), store_at(tmp_path)
    fake.lists_referrers = False
    one, two = attached(store, b"one", 1), attached(store, b"two", 2)

    for artifact in (one, two):
        transfer_to(fake, store).push(artifact)

    _, raw = fake.manifests["team/app"][referrers.tag_of(one.subject.digest)]
    assert {entry.digest for entry in referrers.parse_index(raw)} == {one.digest, two.digest}

from pathlib import Path

import pytest

from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file, image_of, store_at
from understudy.image.model import Image
from understudy.image.registry.auth import Auth
from understudy.image.registry.errors import RegistryDigestError, RegistryRejectedError
from understudy.image.registry.http import RegistryHttp
from understudy.image.registry.manifests import ManifestTransfer, TagImmutableError

WRONG = "sha256:" + "0" * 64


@pytest.fixture
def fake() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def transfer(fake: FakeRegistry) -> ManifestTransfer:
    http = RegistryHttp(
        "registry.invalid",
        auth=Auth.anonymous(),
        insecure_http=True,
        sleep=lambda _: None,
        transport=fake.transport(),
    )
    return ManifestTransfer(http, "team/app")


@pytest.fixture
def images(tmp_path: Path) -> tuple[Image, Image]:
    store = store_at(tmp_path)
    return image_of(store, [file("a")]), image_of(store, [file("b")])


def names(fake: FakeRegistry, image: Image) -> set[str]:
    known = fake.manifests["team/app"]
    return {name for name, (_, raw) in known.items() if raw == image.manifest.raw}


def test_manifest_is_there_by_digest_before_any_tag_names_it(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    transfer.push(images[0].manifest, ["latest", "abc"])
    assert names(fake, images[0]) == {images[0].digest, "latest", "abc"}
    puts = [line.rpartition("/")[2] for line in fake.requests if line.startswith("PUT")]
    assert puts == [images[0].digest, "latest", "abc"]


def test_registry_that_answers_another_digest_gets_no_tag(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    fake.answers_digest = WRONG
    with pytest.raises(RegistryDigestError, match=f"with digest {WRONG}; nothing was tagged") as caught:
        transfer.push(images[0].manifest, ["latest"])
    assert caught.value.hint
    assert names(fake, images[0]) == {images[0].digest}


def test_an_answer_that_lies_about_a_tag_says_that_the_tag_may_be_wrong(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    transfer.push(images[0].manifest, [])
    fake.answers_digest = WRONG
    with pytest.raises(RegistryDigestError, match=f"with digest {WRONG}; tag latest may name that"):
        transfer.push(images[0].manifest, ["latest"])


def test_moving_a_mutable_tag_is_fine(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    for image in images:
        transfer.push(image.manifest, ["latest"])
    assert names(fake, images[1]) == {images[1].digest, "latest"}


def test_immutable_tag_of_the_same_image_is_fine(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    fake.immutable = True
    for _ in range(2):
        transfer.push(images[0].manifest, ["latest"])
    assert names(fake, images[0]) == {images[0].digest, "latest"}


def test_immutable_tag_of_another_image_says_what_to_change(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    fake.immutable = True
    transfer.push(images[0].manifest, ["latest"])
    with pytest.raises(TagImmutableError, match=f"tag latest .* names {images[0].digest}") as caught:
        transfer.push(images[1].manifest, ["latest"])
    assert (caught.value.tag, caught.value.found) == ("latest", images[0].digest)
    assert "IMMUTABLE_WITH_EXCLUSION" in caught.value.hint


def test_same_image_that_somebody_else_tags_meanwhile_is_fine(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    """Two pushes of one image at a time: the second PUT is refused, and what was wanted is there."""
    raw = images[0].manifest.raw
    fake.immutable = True
    fake.before_put = lambda: fake.manifests["team/app"].setdefault(
        "latest", (images[0].manifest.media_type, raw)
    )
    transfer.push(images[0].manifest, ["latest"])
    assert names(fake, images[0]) == {images[0].digest, "latest"}


def test_other_refusals_keep_the_words_of_the_registry(
    fake: FakeRegistry, transfer: ManifestTransfer, images: tuple[Image, Image]
) -> None:
    transfer.push(images[0].manifest, [])
    fake.statuses = [404, 400]
    with pytest.raises(RegistryRejectedError, match="400 ORDERED: a fault"):
        transfer.push(images[1].manifest, ["latest"])

"""The domain: what is admitted, tagged, expired, resolved and kept from collection."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import (
    REGISTRY,
    World,
    config_bytes,
    descriptor,
    index_bytes,
    keep_last,
    manifest_bytes,
    pieces,
)
from understudy.engine.ecr import repositories
from understudy.engine.ecr.model import (
    ImageMediaTypeError,
    ImageNotFoundError,
    ImageUriError,
    Registry,
    Repository,
)
from understudy.engine.ecr.repositories import Repositories
from understudy.engine.protocol import ApiError
from understudy.image import digests, model


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ["a", "UPPER", "a//b", "-a", "a" * 257, "a b", "../x"])
def test_refuses_names_as_aws_does(world: World, name: str) -> None:
    with pytest.raises(ApiError, match="repositoryName"):
        world.repository(name)


def test_registries_are_separate(world: World) -> None:
    world.repository("app")
    other = Registry(account_id="111111111111")
    with pytest.raises(ApiError, match="RepositoryNotFoundException"):
        world.repositories.get(other, "app")
    world.repositories.create(Repository(registry=other, name="app", created_at=0))
    assert len(world.repositories.all_of(other)) == 1


async def test_a_blob_of_the_store_is_every_repositorys(world: World) -> None:
    repository = world.repository()
    [digest] = world.blobs(b"built here")
    assert not world.repositories.tables.linked(repository, digest)
    assert world.repositories.has_blob(repository, digest)
    assert world.repositories.tables.linked(repository, digest)
    assert not world.repositories.has_blob(repository, digests.of(b"never sent"))


async def test_missing_layers_are_named(world: World) -> None:
    repository = world.repository()
    raw = manifest_bytes(config_bytes(), [b"never sent"])
    world.blobs(config_bytes())
    with pytest.raises(ApiError) as caught:
        world.repositories.admit(repository, raw, None)
    assert caught.value.code == "LayersNotFoundException"
    assert digests.of(b"never sent") in caught.value.message
    assert digests.of(config_bytes()) not in caught.value.message


async def test_an_index_needs_its_images_in_the_same_repository(world: World) -> None:
    first, second = world.repository("first"), world.repository("second")
    raw = world.image("x")
    await world.push(first, None, "x")
    assert world.repositories.admit(first, index_bytes(raw), None).is_index
    with pytest.raises(ApiError, match="ReferencedImagesNotFoundException"):
        world.repositories.admit(second, index_bytes(raw), None)


async def test_size_is_what_the_store_holds(world: World) -> None:
    repository = world.repository()
    digest = await world.push(repository, "v1", "salt")
    wanted = len(config_bytes("salt")) + len(b"layer salt")
    assert world.repositories.find(repository, digest=digest).size_bytes == wanted
    raw = index_bytes(world.image("salt"))
    manifest = world.repositories.admit(repository, raw, None)
    assert (await world.repositories.put_image(repository, manifest, "multi")).size_bytes == wanted


async def test_a_tag_moves_and_leaves_its_image_untagged(world: World) -> None:
    repository = world.repository()
    old = await world.push(repository, "latest", "old")
    new = await world.push(repository, "latest", "new")
    assert world.repositories.find(repository, tag="latest").digest == new
    assert world.repositories.find(repository, digest=old).tags == ()


async def test_an_immutable_tag_is_refused_even_for_its_own_image(world: World) -> None:
    repository = world.repository(mutability="IMMUTABLE")
    await world.push(repository, "v1", "x")
    for salt in ("x", "y"):
        with pytest.raises(ApiError, match="ImageTagAlreadyExistsException"):
            await world.push(repository, "v1", salt)
    await world.push(repository, "v2", "x")


async def test_find_needs_tag_and_digest_to_agree(world: World) -> None:
    repository = world.repository()
    one, two = await world.push(repository, "one"), await world.push(repository, "two")
    assert world.repositories.find(repository, digest=one, tag="one").tags == ("one",)
    with pytest.raises(ApiError, match="ImageNotFoundException"):
        world.repositories.find(repository, digest=two, tag="one")


async def test_keep_last_five_keeps_five_after_every_push(world: World) -> None:
    repository = world.repository(lifecycle_policy=keep_last(5))
    for number in range(8):
        await world.push(repository, f"v{number}")
        assert len(world.repositories.images(repository)) == min(number + 1, 5)
    tags = [image.tags[0] for image in world.repositories.images(repository)]
    assert tags == ["v7", "v6", "v5", "v4", "v3"]


async def test_parts_of_an_index_do_not_expire_before_it_arrives(world: World) -> None:
    policy = json.loads(keep_last(1))
    policy["rules"][0]["selection"]["tagStatus"] = "untagged"
    repository = world.repository(lifecycle_policy=json.dumps(policy))
    raws = [world.image(salt) for salt in "abc"]
    for raw in raws:
        await world.repositories.put_image(repository, world.repositories.admit(repository, raw, None), None)
    index = world.repositories.admit(repository, index_bytes(*raws), None)
    await world.repositories.put_image(repository, index, "multi")
    assert len(world.repositories.images(repository)) == 4


async def test_an_expired_index_frees_its_images_in_the_same_run(world: World) -> None:
    repository = world.repository()
    raws = [world.image(salt) for salt in "ab"]
    for raw in raws:
        await world.repositories.put_image(repository, world.repositories.admit(repository, raw, None), None)
    index = world.repositories.admit(repository, index_bytes(*raws), None)
    await world.repositories.put_image(repository, index, "multi")
    newest = await world.push(repository, "v1")
    repository = world.repositories.update(replace(repository, lifecycle_policy=keep_last(1)))
    assert len(await world.repositories.expire(repository)) == 3
    assert [image.digest for image in world.repositories.images(repository)] == [newest]


async def test_rules_by_age_run_with_expire_all(world: World) -> None:
    policy = json.loads(keep_last(1))
    policy["rules"][0]["selection"] |= {
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 2,
    }
    repository = world.repository(lifecycle_policy=json.dumps(policy))
    await world.push(repository, "v1")
    assert await world.repositories.expire_all() == 0
    world.clock.now += 3 * 86400
    assert await world.repositories.expire_all() == 1


async def test_what_is_attached_goes_with_its_subject_and_not_before(world: World) -> None:
    repository = world.repository(lifecycle_policy=keep_last(1))
    subject = await world.push(repository, "v1", "x")
    raw = manifest_bytes(
        b"{}", [], subject=descriptor(world.image("x"), model.OCI_MANIFEST), artifactType="a/b"
    )
    world.blobs(b"{}")
    manifest = world.repositories.admit(repository, raw, None)
    await world.repositories.put_image(repository, manifest, "signature")
    assert [each.digest for each in world.repositories.referrers(repository, subject)] == [manifest.digest]
    await world.repositories.delete_images(repository, [subject])
    assert world.repositories.images(repository) == []


async def test_a_repository_with_images_is_deleted_by_force_only(world: World) -> None:
    repository = world.repository()
    await world.push(repository, "v1")
    with pytest.raises(ApiError, match="RepositoryNotEmptyException"):
        await world.repositories.delete(repository, force=False)
    await world.repositories.delete(repository, force=True)
    assert world.repositories.all_of(REGISTRY) == []


async def test_resolves_by_tag_and_digest_under_every_name(world: World) -> None:
    repository = world.repository()
    digest = await world.push(repository, "v1")
    hosts = ("localhost:4566", "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566")
    for host in (*hosts, "000000000000.dkr.ecr.us-east-1.amazonaws.com"):
        for reference in (":v1", f"@{digest}", f":v1@{digest}"):
            found = world.repositories.resolve_image(f"{host}/app{reference}")
            assert (found.digest, found.image.digest, found.repository) == (digest, digest, "app")
            assert found.resolved_uri == f"{host}/app@{digest}"
    assert world.repositories.find(repository, tag="v1").pulled_at is not None


async def test_resolve_refuses_as_lambda_does(world: World) -> None:
    repository = world.repository()
    raw = world.image("x")
    await world.push(repository, "single", "x")
    index = world.repositories.admit(repository, index_bytes(raw), None)
    await world.repositories.put_image(repository, index, "multi")
    artifact = (
        world.repositories.admit(repository, manifest_bytes(b"{}", []), None) if world.blobs(b"{}") else None
    )
    assert artifact is not None
    await world.repositories.put_image(repository, artifact, "artifact")
    resolve = world.repositories.resolve_image
    for uri in ("docker.io/app:v1", "localhost:4566/app", "nonsense"):
        with pytest.raises(ImageUriError, match=r"is not valid\. Provide a valid source image\."):
            resolve(uri)
    for uri in (
        "localhost:4566/app:none",
        "localhost:4566/other:v1",
        f"localhost:4566/app@{digests.of(b'')}",
    ):
        with pytest.raises(ImageNotFoundError, match=r"does not exist\. Provide a valid source image\."):
            resolve(uri)
    for tag in ("multi", "artifact"):
        with pytest.raises(ImageMediaTypeError, match=r"media type for the source image .* is not supported"):
            resolve(f"localhost:4566/app:{tag}")
    assert repositories.ImageNotFound is ImageNotFoundError


async def test_collection_spares_what_repositories_and_functions_hold(world: World) -> None:
    repository = world.repository()
    kept, used, gone = [await world.push(repository, tag) for tag in ("kept", "used", "gone")]
    world.repositories.add_roots(lambda: [used])
    await world.repositories.delete_images(repository, [used, gone])
    assert world.repositories.gc_roots() == {kept, used}
    world.store.gc()
    assert (world.store.has(kept), world.store.has(used), world.store.has(gone)) == (True, True, False)
    assert world.store.image(used).digest == used


async def test_pins_are_right_again_after_a_crash(world: World) -> None:
    repository = world.repository()
    digest = await world.push(repository, "v1")
    world.store.pin("engine", [])
    world.repositories.open()
    world.store.gc()
    assert world.store.has(digest)


async def test_functions_images_stay_pinned_while_the_engine_starts(world: World) -> None:
    repository = world.repository()
    used = await world.push(repository, "used")
    world.repositories.add_roots(lambda: [used])
    await world.repositories.delete_images(repository, [used])
    starting = Repositories(world.state, world.store).open()
    world.store.gc()
    assert world.store.has(used)
    await starting.refresh_pins()
    world.store.gc()
    assert not world.store.has(used)


async def test_a_repository_deleted_during_a_push_is_not_found(world: World) -> None:
    repository = world.repository()
    manifest = world.repositories.admit(repository, world.image("x"), None)
    upload_id = await world.uploads.start(repository)
    await world.uploads.append(repository, upload_id, pieces(b"data"))
    pushing = asyncio.gather(
        world.repositories.put_image(repository, manifest, "v1"),
        world.uploads.commit(repository, upload_id, digests.of(b"data")),
        world.repositories.delete(repository, force=True),
        return_exceptions=True,
    )
    refused = [each for each in await pushing if each is not None]
    assert [each.code for each in refused if isinstance(each, ApiError)] == [
        "RepositoryNotFoundException"
    ] * 2
    with pytest.raises(ApiError, match="RepositoryNotFoundException"):
        await world.uploads.start(repository)

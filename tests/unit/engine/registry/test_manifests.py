"""Manifests: byte for byte, by tag and digest, with what they reference."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import World, config_bytes, descriptor, index_bytes, manifest_bytes
from understudy.image import digests, model

V1 = "/v2/app/manifests/v1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    opened.repository()
    yield opened
    opened.close()


async def test_bytes_come_back_as_they_were_sent(world: World) -> None:
    raw = world.image("x").replace(b'"schemaVersion": 2', b'\t"schemaVersion" :2')
    put = await world.http("PUT", V1, raw, content_type=model.OCI_MANIFEST)
    digest = digests.of(raw)
    assert (put.status, put.headers["docker-content-digest"]) == (201, digest)
    assert put.headers["location"] == f"http://localhost:4566/v2/app/manifests/{digest}"
    for path in (V1, f"/v2/app/manifests/{digest}"):
        got = await world.http("GET", path)
        assert (got.body, got.headers["content-type"], got.headers["docker-content-digest"]) == (
            raw,
            model.OCI_MANIFEST,
            digest,
        )
        head = await world.http("HEAD", path)
        assert (head.status, head.headers["content-length"], head.body) == (200, str(len(raw)), b"")


async def test_only_get_counts_as_a_pull(world: World) -> None:
    await world.http("PUT", V1, world.image("x"))
    repository = world.repositories.tables.repositories()[0]
    await world.http("HEAD", V1)
    assert world.repositories.find(repository, tag="v1").pulled_at is None
    await world.http("GET", V1)
    assert world.repositories.find(repository, tag="v1").pulled_at is not None


async def test_a_client_gets_only_a_type_it_accepts(world: World) -> None:
    await world.http("PUT", V1, world.image("x"))
    assert (
        await world.http("GET", V1, accept=f"{model.DOCKER_MANIFEST}, {model.OCI_MANIFEST}")
    ).status == 200
    answer = await world.http("GET", V1, accept=model.DOCKER_MANIFEST)
    assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
    assert model.OCI_MANIFEST in answer.message


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/app/manifests/-bad", "TAG_INVALID"),
        ("/v2/app/manifests/sha256:short", "DIGEST_INVALID"),
        ("/v2/app/manifests/" + digests.of(b"other"), "DIGEST_INVALID"),
    ],
)
async def test_refuses_a_wrong_reference(world: World, path: str, code: str) -> None:
    answer = await world.http("PUT", path, world.image("x"))
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "MANIFEST_INVALID"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "MANIFEST_INVALID"),
        (manifest_bytes(config_bytes(), [b"absent"]), "MANIFEST_BLOB_UNKNOWN"),
        (index_bytes(manifest_bytes(config_bytes(), [])), "MANIFEST_BLOB_UNKNOWN"),
    ],
    ids=["empty", "schema-1", "layer-missing", "image-of-index-missing"],
)
async def test_refuses_what_cannot_be_pulled_again(world: World, raw: bytes, code: str) -> None:
    answer = await world.http("PUT", V1, raw)
    assert (answer.status, answer.code) == (400, code)
    assert (await world.http("GET", V1)).code == "MANIFEST_UNKNOWN"


async def test_refuses_a_manifest_larger_than_4_mib(world: World) -> None:
    answer = await world.http("PUT", V1, b" " * (4 * 1024 * 1024 + 1))
    assert (answer.status, answer.code) == (413, "SIZE_INVALID")


async def test_content_type_must_agree_with_the_document(world: World) -> None:
    answer = await world.http("PUT", V1, world.image("x"), content_type=model.OCI_INDEX)
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


async def test_an_immutable_tag_cannot_be_pushed_again(world: World) -> None:
    world.repository("fixed", mutability="IMMUTABLE")
    path = "/v2/fixed/manifests/v1"
    assert (await world.http("PUT", path, world.image("x"))).status == 201
    answer = await world.http("PUT", path, world.image("y"))
    assert (answer.status, answer.code) == (400, "TAG_INVALID")
    assert answer.message.startswith("The image tag 'v1' already exists in the 'fixed' repository")


async def test_delete_by_tag_then_digest(world: World) -> None:
    raw = world.image("x")
    await world.http("PUT", V1, raw)
    await world.http("PUT", "/v2/app/manifests/v2", raw)
    assert (await world.http("DELETE", V1)).status == 202
    assert (await world.http("GET", V1)).status == 404
    assert (await world.http("DELETE", f"/v2/app/manifests/{digests.of(raw)}")).status == 202
    assert (await world.http("GET", "/v2/app/manifests/v2")).status == 404
    assert (await world.http("DELETE", V1)).code == "MANIFEST_UNKNOWN"


async def test_an_image_of_an_index_cannot_be_deleted_before_it(world: World) -> None:
    raw = world.image("x")
    child = f"/v2/app/manifests/{digests.of(raw)}"
    await world.http("PUT", child, raw)
    await world.http("PUT", "/v2/app/manifests/multi", index_bytes(raw))
    answer = await world.http("DELETE", child)
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")
    assert answer.message == f"Requested image referenced by manifest list: [{digests.of(index_bytes(raw))}]"
    assert (await world.http("DELETE", "/v2/app/manifests/multi")).status == 202
    assert (await world.http("DELETE", child)).status == 202


async def test_referrers_list_what_is_attached(world: World) -> None:
    raw = world.image("x")
    await world.http("PUT", V1, raw)
    world.store.put(b"{}")
    attached = manifest_bytes(
        b"{}", [], subject=descriptor(raw, model.OCI_MANIFEST), artifactType="sbom/x", annotations={"k": "v"}
    )
    put = await world.http("PUT", f"/v2/app/manifests/{digests.of(attached)}", attached)
    assert put.headers["oci-subject"] == digests.of(raw)
    answer = await world.http("GET", f"/v2/app/referrers/{digests.of(raw)}")
    assert answer.headers["content-type"] == model.OCI_INDEX
    [entry] = json.loads(answer.body)["manifests"]
    assert entry == {
        "mediaType": model.OCI_MANIFEST,
        "digest": digests.of(attached),
        "size": len(attached),
        "artifactType": "sbom/x",
        "annotations": {"k": "v"},
    }
    filtered = await world.http("GET", f"/v2/app/referrers/{digests.of(raw)}?artifactType=other")
    assert (json.loads(filtered.body)["manifests"], filtered.headers["oci-filters-applied"]) == (
        [],
        "artifactType",
    )
    unknown = await world.http("GET", f"/v2/app/referrers/{digests.of(b'unknown')}")
    assert (unknown.status, json.loads(unknown.body)["manifests"]) == (200, [])


async def test_a_blob_lost_from_disk_is_unknown_and_no_crash(world: World) -> None:
    raw = world.image("x")
    await world.http("PUT", V1, raw)
    world.store.path(digests.of(raw)).unlink()
    assert (await world.http("GET", V1)).code == "MANIFEST_UNKNOWN"

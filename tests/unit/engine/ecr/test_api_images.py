"""Image operations: true sizes and digests, filters, pages, batch failures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.ecr.fixtures import World, config_bytes, descriptor, index_bytes, manifest_bytes
from understudy.engine.protocol import ApiError
from understudy.image import digests, model


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    opened.repository()
    yield opened
    opened.close()


async def call(world: World, operation: str, **params: Any) -> dict[str, Any]:
    return await world.call(operation, repositoryName="app", **params)


async def put(world: World, raw: bytes, tag: str | None = None, **params: Any) -> dict[str, Any]:
    named = {"imageTag": tag} if tag else {}
    return await call(world, "PutImage", imageManifest=raw.decode(), **named, **params)


async def refusal(world: World, operation: str, **params: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call(world, operation, **params)
    return caught.value


async def test_put_then_get_verbatim(world: World) -> None:
    raw = world.image("x")
    image = (await put(world, raw, "v1"))["image"]
    assert image == {
        "registryId": "000000000000",
        "repositoryName": "app",
        "imageId": {"imageDigest": digests.of(raw), "imageTag": "v1"},
        "imageManifest": raw.decode(),
        "imageManifestMediaType": model.OCI_MANIFEST,
    }
    assert (await call(world, "BatchGetImage", imageIds=[{"imageTag": "v1"}]))["images"] == [image]


async def test_put_again_is_refused_unless_the_tag_is_new(world: World) -> None:
    raw = world.image("x")
    await put(world, raw, "v1")
    for tag in ("v1", None):
        with pytest.raises(ApiError, match="ImageAlreadyExistsException"):
            await put(world, raw, tag)
    await put(world, raw, "v2")
    [detail] = (await call(world, "DescribeImages"))["imageDetails"]
    assert detail["imageTags"] == ["v1", "v2"]


async def test_put_checks_digest_tag_and_layers(world: World) -> None:
    raw = world.image("x")
    with pytest.raises(ApiError, match="ImageDigestDoesNotMatchException"):
        await put(world, raw, imageDigest=digests.of(b"other"))
    with pytest.raises(ApiError, match="imageTag"):
        await put(world, raw, "-bad")
    with pytest.raises(ApiError, match="LayersNotFoundException"):
        await put(world, manifest_bytes(config_bytes(), [b"absent"]))
    with pytest.raises(ApiError, match="ReferencedImagesNotFoundException"):
        await put(world, index_bytes(b"absent"))
    with pytest.raises(ApiError, match="InvalidParameterException"):
        await put(world, b"no json")


async def test_immutable_tags(world: World) -> None:
    await call(world, "PutImageTagMutability", imageTagMutability="IMMUTABLE")
    await put(world, world.image("x"), "v1")
    with pytest.raises(ApiError, match="ImageTagAlreadyExistsException"):
        await put(world, world.image("y"), "v1")


async def test_describe_shows_size_time_and_types(world: World) -> None:
    raw = world.image("x")
    await put(world, raw, "v1")
    [detail] = (await call(world, "DescribeImages", imageIds=[{"imageTag": "v1"}]))["imageDetails"]
    assert detail.pop("imagePushedAt").timestamp() <= world.clock.now
    assert detail == {
        "registryId": "000000000000",
        "repositoryName": "app",
        "imageDigest": digests.of(raw),
        "imageTags": ["v1"],
        "imageSizeInBytes": len(config_bytes("x")) + len(b"layer x"),
        "imageManifestMediaType": model.OCI_MANIFEST,
        "artifactMediaType": model.OCI_CONFIG,
        "imageStatus": "ACTIVE",
    }


async def test_describe_filters_pages_and_refuses(world: World) -> None:
    for number in range(3):
        await put(world, world.image(str(number)), "latest")
    newest = digests.of(world.image("2"))
    tagged = (await call(world, "DescribeImages", filter={"tagStatus": "TAGGED"}))["imageDetails"]
    assert [each["imageDigest"] for each in tagged] == [newest]
    page = await call(world, "DescribeImages", filter={"tagStatus": "UNTAGGED"}, maxResults=1)
    rest = await call(world, "DescribeImages", filter={"tagStatus": "UNTAGGED"}, nextToken=page["nextToken"])
    assert (len(page["imageDetails"]), len(rest["imageDetails"]), "nextToken" in rest) == (1, 1, False)
    assert (await call(world, "DescribeImages", filter={"imageStatus": "ARCHIVED"}))["imageDetails"] == []
    missing = await refusal(world, "DescribeImages", imageIds=[{"imageTag": "none"}])
    assert missing.code == "ImageNotFoundException"
    assert "imageId {imageDigest:'null', imageTag:'none'} does not exist" in missing.message
    both = await refusal(world, "DescribeImages", imageIds=[{"imageTag": "latest"}], maxResults=1)
    assert both.code == "InvalidParameterException"


async def test_list_names_every_tag_once(world: World) -> None:
    raw = world.image("x")
    for tag in ("a", "b"):
        await put(world, raw, tag)
    await put(world, world.image("y"))
    ids = (await call(world, "ListImages"))["imageIds"]
    assert ids == [
        {"imageDigest": digests.of(world.image("y"))},
        {"imageDigest": digests.of(raw), "imageTag": "a"},
        {"imageDigest": digests.of(raw), "imageTag": "b"},
    ]
    assert (await call(world, "ListImages", filter={"tagStatus": "UNTAGGED"}))["imageIds"] == ids[:1]
    page = await call(world, "ListImages", maxResults=2)
    assert (await call(world, "ListImages", nextToken=page["nextToken"]))["imageIds"] == ids[2:]


async def test_batch_get_reports_each_failure(world: World) -> None:
    one, two = world.image("1"), world.image("2")
    await put(world, one, "one")
    await put(world, two, "two")
    wanted = [
        {"imageTag": "none"},
        {},
        {"imageDigest": "nonsense"},
        {"imageDigest": digests.of(two), "imageTag": "one"},
    ]
    answer = await call(world, "BatchGetImage", imageIds=wanted)
    assert [(each["failureCode"], each["imageId"]) for each in answer["failures"]] == list(
        zip(
            ["ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest", "ImageTagDoesNotMatchDigest"],
            wanted,
            strict=True,
        )
    )
    refused = await call(
        world, "BatchGetImage", imageIds=[{"imageTag": "one"}], acceptedMediaTypes=[model.DOCKER_MANIFEST]
    )
    assert (refused["images"], refused["failures"][0]["failureCode"]) == ([], "ImageNotFound")


async def test_batch_delete_by_tag_takes_the_tag_and_by_digest_the_image(world: World) -> None:
    raw = world.image("x")
    digest = digests.of(raw)
    for tag in ("a", "b", "c"):
        await put(world, raw, tag)
    gone = await call(world, "BatchDeleteImage", imageIds=[{"imageTag": "a"}, {"imageTag": "none"}])
    assert gone["imageIds"] == [{"imageDigest": digest, "imageTag": "a"}]
    assert gone["failures"][0]["failureCode"] == "ImageNotFound"
    gone = await call(world, "BatchDeleteImage", imageIds=[{"imageDigest": digest}])
    assert gone["imageIds"] == [{"imageDigest": digest, "imageTag": tag} for tag in ("b", "c")]
    assert (await call(world, "ListImages"))["imageIds"] == []


async def test_the_last_tag_takes_the_image_along(world: World) -> None:
    await put(world, world.image("x"), "only")
    await call(world, "BatchDeleteImage", imageIds=[{"imageTag": "only"}])
    assert (await call(world, "DescribeImages"))["imageDetails"] == []


async def test_an_image_of_an_index_stays_until_the_index_goes(world: World) -> None:
    raw = world.image("x")
    await put(world, raw)
    await put(world, index_bytes(raw), "multi")
    child, parent = {"imageDigest": digests.of(raw)}, {"imageDigest": digests.of(index_bytes(raw))}
    [failure] = (await call(world, "BatchDeleteImage", imageIds=[child]))["failures"]
    assert failure["failureCode"] == "ImageReferencedByManifestList"
    assert parent["imageDigest"] in failure["failureReason"]
    gone = await call(world, "BatchDeleteImage", imageIds=[child, parent])
    assert (len(gone["imageIds"]), gone["failures"]) == (2, [])


async def test_no_image_has_scan_findings(world: World) -> None:
    await put(world, world.image("x"), "v1")
    found = await refusal(world, "DescribeImageScanFindings", imageId={"imageTag": "v1"})
    assert found.code == "ScanNotFoundException"
    missing = await refusal(world, "DescribeImageScanFindings", imageId={"imageTag": "none"})
    assert missing.code == "ImageNotFoundException"


async def test_referrers(world: World) -> None:
    raw = world.image("x")
    await put(world, raw, "v1")
    world.store.put(b"{}")
    attached = manifest_bytes(b"{}", [], subject=descriptor(raw, model.OCI_MANIFEST), artifactType="a/b")
    await put(world, attached)
    subject = {"imageDigest": digests.of(raw)}
    [found] = (await call(world, "ListImageReferrers", subjectId=subject))["referrers"]
    assert (found["digest"], found["artifactType"], found["size"]) == (
        digests.of(attached),
        "a/b",
        len(attached),
    )
    other = await call(world, "ListImageReferrers", subjectId=subject, filter={"artifactTypes": ["c/d"]})
    assert other["referrers"] == []

"""Layer operations: availability, download address, upload in parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.ecr.fixtures import World
from understudy.engine.ecr.model import Registry, Repository
from understudy.engine.protocol import ApiError
from understudy.image import digests

DATA = b"layer bytes"
DIGEST = digests.of(DATA)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    opened.repository()
    yield opened
    opened.close()


async def call(world: World, operation: str, **params: Any) -> dict[str, Any]:
    return await world.call(operation, repositoryName="app", **params)


async def part(world: World, upload_id: str, first: int, data: bytes) -> dict[str, Any]:
    bounds = {"partFirstByte": first, "partLastByte": first + len(data) - 1}
    return await call(world, "UploadLayerPart", uploadId=upload_id, layerPartBlob=data, **bounds)


async def begin(world: World) -> str:
    answer = await call(world, "InitiateLayerUpload")
    assert answer["partSize"] == 20 * 1024 * 1024
    return str(answer["uploadId"])


async def test_upload_in_parts(world: World) -> None:
    upload_id = await begin(world)
    assert (await part(world, upload_id, 0, DATA[:4]))["lastByteReceived"] == 3
    assert (await part(world, upload_id, 4, DATA[4:]))["lastByteReceived"] == len(DATA) - 1
    done = await call(world, "CompleteLayerUpload", uploadId=upload_id, layerDigests=[DIGEST])
    assert done["layerDigest"] == DIGEST
    assert world.store.read(DIGEST) == DATA


async def test_parts_are_consecutive_and_as_long_as_they_say(world: World) -> None:
    upload_id = await begin(world)
    await part(world, upload_id, 0, DATA)
    with pytest.raises(ApiError) as caught:
        await part(world, upload_id, 3, DATA)
    assert caught.value.code == "InvalidLayerPartException"
    assert caught.value.fields["lastValidByteReceived"] == len(DATA) - 1
    with pytest.raises(ApiError, match="InvalidLayerPartException"):
        await call(
            world,
            "UploadLayerPart",
            uploadId=upload_id,
            partFirstByte=11,
            partLastByte=12,
            layerPartBlob=b"x",
        )
    await world.uploads.close()


@pytest.mark.parametrize(
    ("sent", "claimed", "code"),
    [
        (b"", DIGEST, "EmptyUploadException"),
        (b"other", DIGEST, "InvalidLayerException"),
        (DATA, "nonsense", "InvalidParameterException"),
    ],
)
async def test_complete_refuses(world: World, sent: bytes, claimed: str, code: str) -> None:
    upload_id = await begin(world)
    if sent:
        await part(world, upload_id, 0, sent)
    with pytest.raises(ApiError, match=code):
        await call(world, "CompleteLayerUpload", uploadId=upload_id, layerDigests=[claimed])
    await world.uploads.close()


async def test_a_layer_that_is_here_already_is_said_so(world: World) -> None:
    for code in (None, "LayerAlreadyExistsException"):
        upload_id = await begin(world)
        await part(world, upload_id, 0, DATA)
        if code is None:
            await call(world, "CompleteLayerUpload", uploadId=upload_id, layerDigests=[DIGEST])
            continue
        with pytest.raises(ApiError, match=code):
            await call(world, "CompleteLayerUpload", uploadId=upload_id, layerDigests=[DIGEST])


async def test_availability_of_what_is_here_absent_or_misnamed(world: World) -> None:
    world.store.put(DATA)
    absent = digests.of(b"absent")
    answer = await call(world, "BatchCheckLayerAvailability", layerDigests=[DIGEST, absent, "x"])
    assert [(each["layerDigest"], each["layerAvailability"]) for each in answer["layers"]] == [
        (DIGEST, "AVAILABLE"),
        (absent, "UNAVAILABLE"),
    ]
    assert answer["layers"][0]["layerSize"] == len(DATA)
    assert answer["failures"][0]["failureCode"] == "InvalidLayerDigest"


async def test_download_address_is_the_registrys(world: World) -> None:
    world.store.put(DATA)
    answer = await call(world, "GetDownloadUrlForLayer", layerDigest=DIGEST)
    assert answer == {
        "downloadUrl": f"http://localhost:4566/v2/app/blobs/{DIGEST}",
        "layerDigest": DIGEST,
    }
    with pytest.raises(ApiError, match="LayersNotFoundException"):
        await call(world, "GetDownloadUrlForLayer", layerDigest=digests.of(b"absent"))


async def test_download_address_of_another_account_names_its_registry(world: World) -> None:
    other = Registry(account_id="111111111111")
    world.repositories.create(Repository(registry=other, name="app", created_at=0))
    world.store.put(DATA)
    answer = await call(world, "GetDownloadUrlForLayer", account="111111111111", layerDigest=DIGEST)
    host = "111111111111.dkr.ecr.us-east-1.localhost.localstack.cloud:4566"
    assert answer["downloadUrl"] == f"http://{host}/v2/app/blobs/{DIGEST}"

"""Blobs: the specification's table of uploads and downloads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import Answer, World, http
from understudy.image import digests

DATA = bytes(range(100))
DIGEST = digests.of(DATA)
UPLOADS = "/v2/app/blobs/uploads/"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    opened.repository()
    yield opened
    opened.close()


async def begin(world: World) -> str:
    answer = await world.http("POST", UPLOADS)
    assert (answer.status, answer.headers["range"], answer.headers["content-length"]) == (202, "0-0", "0")
    location = answer.headers["location"]
    assert location == f"http://localhost:4566{UPLOADS}{answer.headers['docker-upload-uuid']}"
    return location.removeprefix("http://localhost:4566")


def is_created(answer: Answer) -> bool:
    location = f"http://localhost:4566/v2/app/blobs/{DIGEST}"
    return (answer.status, answer.headers["location"], answer.headers["docker-content-digest"]) == (
        201,
        location,
        DIGEST,
    )


async def test_post_then_put(world: World) -> None:
    assert is_created(await world.http("PUT", f"{await begin(world)}?digest={DIGEST}", DATA))
    assert (await world.http("GET", f"/v2/app/blobs/{DIGEST}")).body == DATA


async def test_single_post(world: World) -> None:
    assert is_created(await world.http("POST", f"{UPLOADS}?digest={DIGEST}", DATA))


async def test_chunks_with_ranges(world: World) -> None:
    path = await begin(world)
    first = await world.http("PATCH", path, DATA[:40], content_range="0-39")
    assert (first.status, first.headers["range"]) == (202, "0-39")
    status = await world.http("GET", path)
    assert (status.status, status.headers["range"]) == (204, "0-39")
    assert (await world.http("PATCH", path, DATA[40:80], content_range="40-79")).headers["range"] == "0-79"
    assert is_created(await world.http("PUT", f"{path}?digest={DIGEST}", DATA[80:], content_range="80-99"))
    assert (await world.http("GET", path)).code == "BLOB_UPLOAD_UNKNOWN"


async def test_stream_without_range_then_empty_put(world: World) -> None:
    path = await begin(world)
    await world.http("PATCH", path, DATA)
    assert is_created(await world.http("PUT", f"{path}?digest={DIGEST}"))


async def test_out_of_order_chunk_is_416_with_the_place_to_go_on(world: World) -> None:
    path = await begin(world)
    await world.http("PATCH", path, DATA[:40], content_range="0-39")
    for first in (0, 50):
        answer = await world.http("PATCH", path, DATA[:10], content_range=f"{first}-{first + 9}")
        assert (answer.status, answer.headers["range"], answer.headers["location"]) == (416, "0-39", path)
    assert (await world.http("PATCH", path, b"", content_range="x")).status == 416


async def test_a_client_that_goes_away_gets_no_answer_and_may_resume(world: World) -> None:
    path = await begin(world)
    answer = await http(world.router, "PATCH", path, body=[DATA[:60]])
    assert answer.status == 0
    assert (await world.http("GET", path)).headers["range"] == "0-59"
    assert is_created(await world.http("PUT", f"{path}?digest={DIGEST}", DATA[60:]))


async def test_cancel(world: World) -> None:
    path = await begin(world)
    assert (await world.http("DELETE", path)).status == 204
    assert (await world.http("PATCH", path, DATA)).status == 404


async def test_wrong_digest_is_refused_and_nothing_is_kept(world: World) -> None:
    answer = await world.http("PUT", f"{await begin(world)}?digest={digests.of(b'other')}", DATA)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert not world.store.has(DIGEST)
    for wrong in ("", "?digest=md5:1"):
        assert (await world.http("PUT", await begin(world) + wrong, DATA)).code == "DIGEST_INVALID"


async def test_mount_takes_what_any_repository_has(world: World) -> None:
    world.repository("other")
    await world.http("POST", f"{UPLOADS}?digest={DIGEST}", DATA)
    mounted = await world.http("POST", f"/v2/other/blobs/uploads/?mount={DIGEST}&from=app")
    assert (mounted.status, mounted.headers["docker-content-digest"]) == (201, DIGEST)
    absent = await world.http("POST", f"/v2/other/blobs/uploads/?mount={digests.of(b'none')}&from=app")
    assert (absent.status, "docker-upload-uuid" in absent.headers) == (202, True)


async def test_head_finds_and_links_what_was_built_here(world: World) -> None:
    world.store.put(DATA)
    answer = await world.http("HEAD", f"/v2/app/blobs/{DIGEST}")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "100", b"")
    assert world.repositories.tables.linked(world.repositories.get(*only(world)), DIGEST)


def only(world: World) -> tuple:  # type: ignore[type-arg] # registry and name of the one repository
    repository = world.repositories.tables.repositories()[0]
    return repository.registry, repository.name


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=10-19", 206, DATA[10:20], "bytes 10-19/100"),
        ("bytes=90-", 206, DATA[90:], "bytes 90-99/100"),
        ("bytes=-5", 206, DATA[95:], "bytes 95-99/100"),
        ("lines=1-2", 200, DATA, None),
    ],
)
async def test_download_ranges(
    world: World, header: str, status: int, body: bytes, content_range: str | None
) -> None:
    world.store.put(DATA)
    answer = await world.http("GET", f"/v2/app/blobs/{DIGEST}", range=header)
    assert (answer.status, answer.body, answer.headers.get("content-range")) == (status, body, content_range)
    assert answer.headers["content-length"] == str(len(body))


async def test_unknown_blob_and_impossible_range(world: World) -> None:
    unknown = await world.http("GET", f"/v2/app/blobs/{DIGEST}")
    assert (unknown.status, unknown.code) == (404, "BLOB_UNKNOWN")
    world.store.put(DATA)
    answer = await world.http("GET", f"/v2/app/blobs/{DIGEST}", range="bytes=100-")
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */100")
    assert (await world.http("GET", "/v2/app/blobs/nonsense")).code == "DIGEST_INVALID"

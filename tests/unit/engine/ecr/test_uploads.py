"""Uploads: resumed, refused, cancelled, swept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import World, pieces
from understudy.engine.ecr import uploads
from understudy.engine.ecr.uploads import OffsetError, Uploads
from understudy.engine.protocol import ApiError
from understudy.image import digests
from understudy.image.store import DigestMismatchError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.close()


async def broken(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content
    raise ConnectionError


async def test_pieces_of_any_size_become_one_blob(world: World) -> None:
    repository, data = world.repository(), bytes(range(256)) * 20_000
    upload_id = await world.uploads.start(repository)
    cut = [data[:10], data[10:3_000_000], data[3_000_000:]]
    assert await world.uploads.append(repository, upload_id, pieces(*cut)) == len(data)
    await world.uploads.commit(repository, upload_id, digests.of(data))
    assert world.store.read(digests.of(data)) == data
    assert world.repositories.tables.linked(repository, digests.of(data))


async def test_what_arrived_before_a_break_stays(world: World) -> None:
    repository, big = world.repository(), b"x" * (uploads.PIECE_BYTES + 7)
    upload_id = await world.uploads.start(repository)
    with pytest.raises(ConnectionError):
        await world.uploads.append(repository, upload_id, broken(big, b"tail"))
    assert await world.uploads.offset(repository, upload_id) == len(big) + 4
    await world.uploads.append(repository, upload_id, pieces(b"!"), first_byte=len(big) + 4)
    await world.uploads.commit(repository, upload_id, digests.of(big + b"tail!"))


async def test_goes_on_after_a_restart(world: World) -> None:
    repository = world.repository()
    upload_id = await world.uploads.start(repository)
    await world.uploads.append(repository, upload_id, pieces(b"before "))
    await world.uploads.close()
    restarted = Uploads(world.repositories)
    assert await restarted.offset(repository, upload_id) == 7
    await restarted.append(repository, upload_id, pieces(b"after"))
    await restarted.commit(repository, upload_id, digests.of(b"before after"))


async def test_refuses_a_gap_and_says_where_it_stands(world: World) -> None:
    repository = world.repository()
    upload_id = await world.uploads.start(repository)
    await world.uploads.append(repository, upload_id, pieces(b"1234"))
    with pytest.raises(OffsetError) as caught:
        await world.uploads.append(repository, upload_id, pieces(b"6"), first_byte=5)
    assert caught.value.offset == 4
    await world.uploads.close()


async def test_wrong_digest_drops_the_upload(world: World) -> None:
    repository = world.repository()
    upload_id = await world.uploads.start(repository)
    await world.uploads.append(repository, upload_id, pieces(b"data"))
    with pytest.raises(DigestMismatchError):
        await world.uploads.commit(repository, upload_id, digests.of(b"other"))
    with pytest.raises(ApiError, match="UploadNotFoundException"):
        await world.uploads.offset(repository, upload_id)
    assert not world.store.has(digests.of(b"data"))


async def test_an_upload_belongs_to_its_repository(world: World) -> None:
    mine, other = world.repository("mine"), world.repository("other")
    upload_id = await world.uploads.start(mine)
    for refused in (world.uploads.offset(other, upload_id), world.uploads.cancel(mine, "unknown")):
        with pytest.raises(ApiError, match="UploadNotFoundException"):
            await refused
    await world.uploads.cancel(mine, upload_id)
    assert list((world.store.root / "uploads").iterdir()) == []


async def test_one_request_at_a_time_per_upload(world: World) -> None:
    repository = world.repository()
    upload_id = await world.uploads.start(repository)
    await asyncio.gather(
        *(world.uploads.append(repository, upload_id, pieces(bytes([number]) * 1000)) for number in range(8))
    )
    assert await world.uploads.offset(repository, upload_id) == 8000
    await world.uploads.close()


async def test_idle_writers_are_let_go_and_abandoned_uploads_dropped(world: World) -> None:
    repository = world.repository()
    idle = await world.uploads.start(repository)
    await world.uploads.append(repository, idle, pieces(b"kept"))
    world.clock.now += 3600
    second = await world.uploads.start(repository)
    assert await world.uploads.offset(repository, idle) == 4
    world.clock.now += 25 * 3600
    third = await world.uploads.start(repository)
    for gone in (idle, second):
        with pytest.raises(ApiError, match="UploadNotFoundException"):
            await world.uploads.offset(repository, gone)
    await world.uploads.cancel(repository, third)
    assert list((world.store.root / "uploads").iterdir()) == []

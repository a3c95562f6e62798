"""The parts of an engine, opened and closed together over a directory."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from tests.fakes.asgi import ask, scope
from tests.fakes.runtime import FakeExecutor, echo
from understudy.engine import compose
from understudy.engine.compose import Parts
from understudy.engine.config import EngineConfig
from understudy.engine.delegate.supervisor import NoDelegate
from understudy.engine.localstack import LocalStackSettings


class HostExecutor(FakeExecutor):
    """Remembers what was done to it."""

    def __init__(self) -> None:
        super().__init__(echo)
        self.calls: list[str] = []

    async def open(self) -> None:
        self.calls.append("open")

    async def close(self) -> None:
        self.calls.append("close")


def parts(path: Path, executor: HostExecutor) -> Parts:
    return Parts(EngineConfig(data_dir=path), port=4566, delegate=NoDelegate(), executor=executor)


async def test_what_is_opened_is_closed(tmp_path: Path) -> None:
    executor = HostExecutor()
    engine = parts(tmp_path, executor)
    await engine.open()
    assert await compose.closing(engine, 5)
    assert executor.calls == ["open", "close"]
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left


async def test_without_lambda_no_sandbox_is_opened(tmp_path: Path) -> None:
    executor = HostExecutor()
    settings = LocalStackSettings(services=frozenset({"s3"}))
    engine = Parts(
        EngineConfig(data_dir=tmp_path, localstack=settings),
        port=4566,
        delegate=NoDelegate(),
        executor=executor,
    )
    await engine.open()
    assert await compose.closing(engine, 5)
    assert executor.calls == []


async def test_an_upload_goes_on_in_the_next_engine(tmp_path: Path) -> None:
    engine = parts(tmp_path, HostExecutor())
    await engine.open()
    created = scope("POST", "/", {"x-amz-target": "AmazonEC2ContainerRegistry_V20150921.CreateRepository"})
    assert (await ask(engine.engine, created, [b'{"repositoryName": "app"}'])).status == 200
    begun = await ask(engine.engine, scope("POST", "/v2/app/blobs/uploads/"))
    place = urlsplit(begun.headers["location"]).path
    assert (await ask(engine.engine, scope("PATCH", place), [b"half"])).status == 202
    await engine.close()

    following = parts(tmp_path, HostExecutor())
    await following.open()
    answer = await ask(following.engine, scope("GET", place))
    await following.close()
    assert (answer.status, answer.headers["range"]) == (204, "0-3")

"""One suite for the fake environment and the real one, so that the fake cannot lie to the unit tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.lambda_image import put_runtime_image
from tests.fakes.executor import FakeFleet
from understudy.engine.functions.pool import Environment
from understudy.image import rootfs
from understudy.image.rootfs import Rootfs
from understudy.image.store import Store
from understudy.sandbox.environment import ExecutionEnvironment
from understudy.sandbox.model import InvokeRequest, SandboxSpec
from understudy.sandbox.namespaces import NamespaceExecutor

Make = Callable[[Callable[[bytes], None]], Environment]


async def function(_: SandboxSpec, request: InvokeRequest) -> bytes:
    event = json.loads(request.payload)
    if "error" in event:
        raise ValueError(event["error"])
    await asyncio.sleep(event.get("sleep", 0))
    return json.dumps({"event": event, "arn": request.invoked_function_arn}).encode()


@pytest.fixture(params=["fake", "real"])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    if request.param == "fake":
        fleet = FakeFleet(function)
        empty = SandboxSpec(
            rootfs=Rootfs(layers=()), entrypoint=("/e",), command=(), working_dir="/", environment={}
        )
        yield lambda log: fleet.create(empty, log)
        return
    store = Store(tmp_path / "store").open()
    digest = put_runtime_image(store)
    config = store.image(digest).config
    spec = SandboxSpec(
        rootfs=rootfs.prepare(store, digest),
        entrypoint=config.entrypoint,
        command=config.cmd,
        working_dir=config.working_dir,
        environment=dict(config.env),
        memory_mb=256,
    )
    executor = NamespaceExecutor(tmp_path)
    await executor.open()
    yield lambda log: ExecutionEnvironment(spec, executor=executor, log=log)
    await executor.close()


def event(**members: Any) -> InvokeRequest:
    return InvokeRequest(
        request_id="r-1", payload=json.dumps(members).encode(), invoked_function_arn="arn:x", timeout_s=60
    )


async def test_lives_from_start_to_shutdown(make: Make) -> None:
    lines: list[bytes] = []
    environment = make(lines.append)
    await environment.start()
    assert environment.state in {"starting", "idle"}
    result = await environment.invoke(event(a=1))
    answer = json.loads(result.payload)
    assert (answer["event"], answer["arn"]) == ({"a": 1}, "arn:x")
    assert result.function_error is None
    assert environment.state == "idle"
    await environment.shutdown()
    assert environment.state == "dead"
    await environment.shutdown()
    assert lines[0].startswith(b"START RequestId: r-1")
    assert lines[-2] == b"END RequestId: r-1\n"
    assert lines[-1].startswith(b"REPORT RequestId: r-1\t")
    assert b"".join(lines).endswith(result.log_tail)


async def test_is_busy_while_it_runs(make: Make) -> None:
    environment = make(lambda _: None)
    await environment.start()
    running = asyncio.create_task(environment.invoke(event(sleep=0.2)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert environment.state == "busy"
    await running
    assert environment.state == "idle"
    await environment.shutdown()


async def test_a_function_error_leaves_it_usable(make: Make) -> None:
    environment = make(lambda _: None)
    await environment.start()
    failed = await environment.invoke(event(error="no"))
    assert failed.function_error == "Unhandled"
    error = json.loads(failed.payload)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no")
    assert (await environment.invoke(event())).function_error is None
    await environment.shutdown()

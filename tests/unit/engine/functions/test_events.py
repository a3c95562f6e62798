import asyncio
from pathlib import Path
from typing import Any

from tests.fakes.lambda_world import World
from understudy.engine.functions.background import Clock
from understudy.engine.functions.events import EventTimes
from understudy.engine.functions.service import LambdaConfig
from understudy.sandbox.model import InvokeRequest, SandboxSpec


class Time:
    """A clock that jumps instead of waiting."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, sleep=self.sleep)


class Failing:
    """A function that fails so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.request_ids: list[str] = []

    async def __call__(self, spec: SandboxSpec, request: InvokeRequest) -> bytes:
        self.request_ids.append(request.request_id)
        if len(self.request_ids) <= self.times:
            raise ValueError("not yet")
        return b"{}"


async def make(path: Path, handler: Failing, time: Time, **settings: Any) -> World:
    config = LambdaConfig(event_times=EventTimes(retries_s=(60.0, 120.0)), **settings)
    world = await World(path, config=config, clock=time.clock).start()
    world.fleet.handler = handler
    await world.active()
    return world


async def send(world: World, **params: Any) -> dict[str, Any]:
    return await world.call("Invoke", FunctionName="dash", InvocationType="Event", **params)


def waiting(world: World) -> int:
    return len(world.state.execute("SELECT id FROM lambda_events"))


async def test_an_event_is_accepted_at_once_and_run_once(tmp_path: Path) -> None:
    time, handler = Time(), Failing(0)
    world = await make(tmp_path, handler, time)
    assert (await send(world))["StatusCode"] == 202
    assert handler.request_ids == []
    await world.service.settle()
    assert handler.request_ids == ["id-Invoke"]
    assert waiting(world) == 0
    await world.close()


async def test_a_failing_event_is_tried_three_times_under_one_request_id(tmp_path: Path) -> None:
    time, handler = Time(), Failing(99)
    world = await make(tmp_path, handler, time)
    await send(world)
    await world.service.settle()
    assert handler.request_ids == ["id-Invoke"] * 3
    assert time.waits == [60.0, 120.0]
    assert waiting(world) == 0
    await world.close()


async def test_a_retry_may_succeed(tmp_path: Path) -> None:
    time, handler = Time(), Failing(1)
    world = await make(tmp_path, handler, time)
    await send(world)
    await world.service.settle()
    assert len(handler.request_ids) == 2
    await world.close()


async def test_retries_follow_the_function_s_configuration(tmp_path: Path) -> None:
    time, handler = Time(), Failing(99)
    world = await make(tmp_path, handler, time)
    await world.call("PutFunctionEventInvokeConfig", FunctionName="dash", MaximumRetryAttempts=0)
    await send(world)
    await world.service.settle()
    assert len(handler.request_ids) == 1
    await world.close()


async def test_a_throttled_event_waits_longer_each_time_until_it_is_too_old(tmp_path: Path) -> None:
    time, handler = Time(), Failing(0)
    world = await make(tmp_path, handler, time, account_concurrency=0)
    await world.call("PutFunctionEventInvokeConfig", FunctionName="dash", MaximumEventAgeInSeconds=60)
    await send(world)
    await world.service.settle()
    assert handler.request_ids == []
    assert time.waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    assert waiting(world) == 0
    await world.close()


async def test_a_function_that_may_not_run_ends_its_events_at_once(tmp_path: Path) -> None:
    time, handler = Time(), Failing(0)
    world = await make(tmp_path, handler, time)
    await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=0)
    await send(world)
    await world.service.settle()
    assert (handler.request_ids, time.waits, waiting(world)) == ([], [], 0)
    await world.close()


async def test_an_event_of_a_deleted_function_is_dropped(tmp_path: Path) -> None:
    time, handler = Time(), Failing(0)
    world = await make(tmp_path, handler, time)
    await send(world)
    await world.call("DeleteFunction", FunctionName="dash")
    await world.service.settle()
    assert waiting(world) == 0
    await world.close()


async def test_an_accepted_event_survives_the_engine(tmp_path: Path) -> None:
    time, handler = Time(), Failing(0)
    world = await make(tmp_path, handler, time)
    await send(world, Payload=b'{"a":1}')
    await world.close()
    assert handler.request_ids == []
    second = World(tmp_path, clock=time.clock)
    second.fleet.handler = handler
    await second.start()
    await second.service.settle()
    assert handler.request_ids == ["id-Invoke"]
    await second.close()

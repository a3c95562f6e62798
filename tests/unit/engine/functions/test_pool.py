import asyncio

import pytest

from tests.fakes.executor import CrashError, FakeFleet, Gate
from understudy.engine.functions.background import Background
from understudy.engine.functions.pool import Budget, Pool
from understudy.engine.protocol import ApiError
from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import InvokeRequest, SandboxSpec

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()), entrypoint=("/e",), command=("a.b",), working_dir="/", environment={}
)


def request(number: int = 0) -> InvokeRequest:
    return InvokeRequest(request_id=str(number), payload=b"{}")


def make_budget(places: int = 10) -> Budget:
    return Budget(places, Background())


def make_pool(fleet: FakeFleet, budget: Budget, *, idle_s: float = 600.0) -> Pool:
    return Pool(lambda: fleet.create(SPEC, lambda _: None), budget, idle_s=idle_s)


async def test_one_environment_serves_requests_one_after_another() -> None:
    fleet, budget = FakeFleet(), make_budget()
    pool = make_pool(fleet, budget)
    for number in range(5):
        await pool.invoke(request(number))
    assert [each.invocations for each in fleet.made] == [5]
    assert (pool.size, pool.idle, budget.used) == (1, 1, 1)


async def test_eight_requests_at_once_use_eight_environments() -> None:
    gate = Gate()
    fleet, budget = FakeFleet(gate), make_budget()
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(8)]
    await gate.wait_for(8)
    assert gate.inside == 8
    gate.open.set()
    await asyncio.gather(*tasks)
    assert [each.invocations for each in fleet.made] == [1] * 8
    assert pool.idle == 8


async def test_the_most_recently_used_environment_is_taken_first() -> None:
    gate = Gate()
    fleet, budget = FakeFleet(gate), make_budget()
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(3)]
    await gate.wait_for(3)
    gate.open.set()
    await asyncio.gather(*tasks)
    for _ in range(4):
        await pool.invoke(request())
    assert [each.invocations for each in fleet.made] == [1, 1, 5]


async def test_beyond_the_machine_s_places_requests_are_throttled() -> None:
    gate = Gate()
    fleet, budget = FakeFleet(gate), make_budget(2)
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(2)]
    await gate.wait_for(2)
    with pytest.raises(ApiError) as caught:
        await pool.invoke(request())
    assert (caught.value.code, caught.value.status) == ("TooManyRequestsException", 429)
    assert caught.value.message == "Rate Exceeded."
    assert caught.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
    gate.open.set()
    await asyncio.gather(*tasks)
    assert budget.used == 2


async def test_a_pool_in_need_takes_the_place_of_the_longest_idle_environment() -> None:
    first_fleet, second_fleet, third_fleet = FakeFleet(), FakeFleet(), FakeFleet()
    budget = make_budget(2)
    first, second, third = (make_pool(each, budget) for each in (first_fleet, second_fleet, third_fleet))
    await first.invoke(request())
    await second.invoke(request())
    await third.invoke(request())
    await budget.background.settle()
    assert [len(each.alive) for each in (first_fleet, second_fleet, third_fleet)] == [0, 1, 1]
    assert budget.used == 2


async def test_an_environment_that_died_is_replaced() -> None:
    async def crash(*_: object) -> bytes:
        raise CrashError("exit status 1")

    fleet, budget = FakeFleet(crash), make_budget()
    pool = make_pool(fleet, budget)
    result = await pool.invoke(request())
    assert result.function_error == "Unhandled"
    assert (pool.size, budget.used) == (0, 0)
    await pool.invoke(request())
    assert len(fleet.made) == 2


async def test_an_environment_that_dies_while_idle_is_not_used() -> None:
    fleet, budget = FakeFleet(), make_budget()
    pool = make_pool(fleet, budget)
    await pool.invoke(request())
    fleet.made[0].state = "dead"
    await pool.invoke(request())
    assert [each.invocations for each in fleet.made] == [1, 1]
    assert budget.used == 1


async def test_a_failed_start_gives_the_place_back() -> None:
    async def fail(_: SandboxSpec) -> None:
        raise UnderstudyError("no-namespaces", "the kernel forbids it", hint="sysctl")

    fleet, budget = FakeFleet(), make_budget()
    fleet.starting = fail
    pool = make_pool(fleet, budget)
    with pytest.raises(UnderstudyError):
        await pool.invoke(request())
    await budget.background.settle()
    assert (pool.size, budget.used) == (0, 0)


async def test_idle_environments_end_after_their_time() -> None:
    fleet, budget = FakeFleet(), make_budget()
    pool = make_pool(fleet, budget, idle_s=0.0)
    await pool.invoke(request())
    await fleet.ended.wait()
    await budget.background.settle()
    assert (pool.size, budget.used) == (0, 0)


async def test_a_retired_pool_finishes_its_requests_and_ends() -> None:
    gate = Gate()
    fleet, budget = FakeFleet(gate), make_budget()
    pool = make_pool(fleet, budget)
    running = asyncio.create_task(pool.invoke(request()))
    await gate.wait_for(1)
    pool.retire()
    assert len(fleet.alive) == 1
    gate.open.set()
    assert (await running).payload == b"{}"
    await budget.background.settle()
    assert (fleet.alive, budget.used) == ([], 0)


async def test_a_request_waits_for_the_prewarmed_environment() -> None:
    ready = asyncio.Event()

    async def slowly(_: SandboxSpec) -> None:
        await ready.wait()

    fleet, budget = FakeFleet(), make_budget()
    fleet.starting = slowly
    pool = make_pool(fleet, budget)
    pool.prewarm()
    pool.prewarm()
    running = asyncio.create_task(pool.invoke(request()))
    await asyncio.sleep(0)
    ready.set()
    await running
    assert [each.invocations for each in fleet.made] == [1]


async def test_a_prewarmed_environment_that_cannot_start_is_dropped() -> None:
    async def fail(_: SandboxSpec) -> None:
        raise UnderstudyError("no-namespaces", "the kernel forbids it", hint="sysctl")

    fleet, budget = FakeFleet(), make_budget()
    fleet.starting = fail
    pool = make_pool(fleet, budget)
    pool.prewarm()
    await budget.background.settle()
    assert (pool.size, budget.used) == (0, 0)

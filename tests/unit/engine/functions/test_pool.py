import asyncio

import pytest

from tests.fakes.executor import CrashError, FakeFleet, Gate
from understudy.engine.functions.background import Background
from understudy.engine.functions.budget import Budget
from understudy.engine.functions.pool import Environment, Pool
from understudy.engine.protocol import ApiError
from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import InvokeRequest, SandboxSpec

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()), entrypoint=("/e",), command=("a.b",), working_dir="/", environment={}
)


def request(number: int = 0) -> InvokeRequest:
    return InvokeRequest(request_id=str(number), payload=b"{}")


def make_budget(places: int = 10, *, at_once: int = 10, turn_s: float = 600.0) -> Budget:
    return Budget(places, Background(), starts_at_once=at_once, turn_s=turn_s)


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


async def test_who_waits_for_an_environment_that_init_killed_is_told() -> None:
    async def die(_: SandboxSpec) -> None:
        fleet.made[-1].state = "dead"

    fleet, budget = FakeFleet(), make_budget()
    fleet.initialising = die
    pool = make_pool(fleet, budget)
    running = asyncio.create_task(pool.invoke(request()))
    await budget.background.settle()
    await turns()
    assert running.done()
    with pytest.raises(UnderstudyError, match="killed during its init phase"):
        await running
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


class Held:
    """An init phase that lasts until the test lets it end, one environment after the other."""

    def __init__(self) -> None:
        self.begun = 0
        self.entered = asyncio.Semaphore(0)
        self._pass = asyncio.Semaphore(0)

    async def __call__(self, _: SandboxSpec) -> None:
        self.begun += 1
        self.entered.release()
        await self._pass.acquire()

    def let(self, count: int) -> None:
        """Lets `count` of them end."""
        for _ in range(count):
            self._pass.release()


async def turns(count: int = 20) -> None:
    """Lets everything happen that waits for nothing else."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_as_many_environments_start_at_once_as_there_are_turns() -> None:
    gate, held = Gate(), Held()
    fleet, budget = FakeFleet(gate), make_budget(at_once=2)
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(5)]
    await turns()
    assert (held.begun, pool.size, budget.used) == (2, 5, 5)
    held.let(2)
    await turns()
    assert (held.begun, gate.inside) == (4, 2)
    held.let(3)
    await gate.wait_for(5)
    assert len(fleet.made) == 5
    gate.open.set()
    await asyncio.gather(*tasks)


async def test_whichever_environment_is_free_serves_who_has_waited_longest() -> None:
    served: list[str] = []

    async def handler(_: SandboxSpec, asked: InvokeRequest) -> bytes:
        served.append(asked.request_id)
        return b"{}"

    held = Held()
    fleet, budget = FakeFleet(handler), make_budget(at_once=1)
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(4)]
    await turns()
    held.let(1)
    await asyncio.gather(*tasks)
    assert served == ["0", "1", "2", "3"]
    assert fleet.made[0].invocations == 4
    # The start whose turn came next is under way; the places of the others are free again.
    assert (len(fleet.made), pool.size, budget.used) == (2, 2, 2)
    held.let(1)
    await budget.background.settle()
    assert pool.idle == 2


async def test_requests_in_line_count_for_the_machine_s_places() -> None:
    held = Held()
    fleet, budget = FakeFleet(), make_budget(2, at_once=1)
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(2)]
    await turns()
    with pytest.raises(ApiError) as caught:
        await pool.invoke(request())
    assert caught.value.status == 429
    held.let(2)
    await asyncio.gather(*tasks)


async def test_a_start_that_takes_long_gives_its_turn_to_the_next() -> None:
    held = Held()
    fleet, budget = FakeFleet(), make_budget(at_once=1, turn_s=0.0)
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(3)]
    for _ in range(3):
        await held.entered.acquire()
    held.let(3)
    await asyncio.gather(*tasks)


async def test_pools_take_turns_in_the_order_of_their_requests() -> None:
    held = Held()
    budget = make_budget(at_once=1)
    fleets = [FakeFleet(), FakeFleet()]
    for fleet in fleets:
        fleet.initialising = held
    first, second = (make_pool(fleet, budget) for fleet in fleets)
    tasks = [asyncio.create_task(pool.invoke(request())) for pool in (first, second, first)]
    await turns()
    assert [len(fleet.made) for fleet in fleets] == [1, 0]
    held.let(1)
    await turns()
    assert [len(fleet.made) for fleet in fleets] == [1, 1]
    held.let(2)
    await asyncio.gather(*tasks)


async def test_a_request_that_gives_up_leaves_the_line() -> None:
    held = Held()
    fleet, budget = FakeFleet(), make_budget(at_once=1)
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(3)]
    await turns()
    tasks[1].cancel()
    await turns()
    assert budget.used == 2
    held.let(2)
    await asyncio.gather(tasks[0], tasks[2])
    assert tasks[1].cancelled()
    await budget.background.settle()


async def test_an_environment_handed_to_who_gave_up_serves_the_next() -> None:
    held = Held()
    fleet, budget = FakeFleet(), make_budget(at_once=1)
    fleet.initialising = held

    def make() -> Environment:
        # The second start follows the first one's hand-over at once, before the request takes notice of it.
        if fleet.made:
            tasks[0].cancel()
        return fleet.create(SPEC, lambda _: None)

    pool = Pool(make, budget, idle_s=600.0)
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(2)]
    await turns()
    held.let(1)
    await tasks[1]
    assert tasks[0].cancelled()
    held.let(1)
    await budget.background.settle()
    assert pool.size == budget.used


async def test_who_waits_for_a_failed_start_is_told_and_the_others_are_served() -> None:
    failures = iter([True, False])

    async def fail_once(_: SandboxSpec) -> None:
        if next(failures, False):
            raise UnderstudyError("no-namespaces", "the kernel forbids it", hint="sysctl")

    fleet, budget = FakeFleet(), make_budget(at_once=1)
    fleet.starting = fail_once
    pool = make_pool(fleet, budget)
    results = await asyncio.gather(*(pool.invoke(request()) for _ in range(2)), return_exceptions=True)
    assert [isinstance(result, UnderstudyError) for result in results] == [True, False]
    await budget.background.settle()
    assert budget.used == pool.size == 1


async def test_an_environment_that_cannot_be_made_fails_its_request_alone() -> None:
    def make() -> Environment:
        raise UnderstudyError("lambda-image-unusable", "gone", hint="push")

    budget = make_budget()
    pool = Pool(make, budget, idle_s=600.0)
    with pytest.raises(UnderstudyError, match="gone"):
        await pool.invoke(request())
    pool.prewarm()
    assert (pool.size, budget.used) == (0, 0)


async def test_who_cannot_make_an_environment_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Environment:
        raise OSError("Too many open files")

    held = Held()
    fleet, budget = FakeFleet(), make_budget()
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    first = asyncio.create_task(pool.invoke(request(1)))
    await turns()
    monkeypatch.setattr(fleet, "create", full)
    second = asyncio.create_task(pool.invoke(request(2)))
    with pytest.raises(OSError, match="Too many"):
        await second
    held.let(1)
    await asyncio.wait([first])
    await turns()
    # The environment of the first serves whoever comes next.
    assert (pool.idle, pool.size, budget.used) == (1, 1, 1)
    with pytest.raises(OSError, match="Too many"):
        await first


async def test_a_retired_pool_serves_its_line_and_starts_no_more_than_that() -> None:
    held = Held()
    fleet, budget = FakeFleet(), make_budget(at_once=2)
    fleet.initialising = held
    pool = make_pool(fleet, budget)
    pool.prewarm()
    tasks = [asyncio.create_task(pool.invoke(request(number))) for number in range(2)]
    await turns()
    tasks[1].cancel()
    await turns()
    pool.retire()
    held.let(2)
    await tasks[0]
    await budget.background.settle()
    assert (fleet.alive, pool.size, budget.used) == ([], 0, 0)

import asyncio

from tests.fakes.executor import CrashError, FakeFleet, Gate
from understudy.engine.functions.background import Background
from understudy.engine.functions.budget import Budget
from understudy.engine.functions.provisioned import Provisioned
from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import Fault, InvokeRequest, SandboxSpec

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()), entrypoint=("/e",), command=("a.b",), working_dir="/", environment={}
)
REQUEST = InvokeRequest(request_id="r", payload=b"{}")


class World:
    def __init__(self, fleet: FakeFleet | None = None, *, places: int = 10) -> None:
        self.fleet = fleet or FakeFleet()
        self.background = Background()
        self.budget = Budget(places, self.background)
        self.kept = Provisioned(lambda: self.fleet.create(SPEC, lambda _: None), self.budget)

    async def resize(self, wanted: int) -> tuple[int, int, int]:
        """Available, allocated and places taken once all have started or ended."""
        self.kept.resize(wanted)
        await self.background.settle()
        return self.kept.available, self.kept.allocated, self.budget.used


async def test_they_are_there_before_anybody_asks_and_go_when_unwanted() -> None:
    world = World()
    assert await world.resize(3) == (3, 3, 3)
    assert await world.resize(1) == (1, 1, 1)
    assert len(world.fleet.alive) == 1
    assert await world.resize(0) == (0, 0, 0)
    assert world.fleet.alive == []


async def test_one_that_died_is_replaced() -> None:
    async def crash(spec: SandboxSpec, request: InvokeRequest) -> bytes:
        raise CrashError

    world = World(FakeFleet(crash))
    await world.resize(1)
    await world.kept.invoke(REQUEST)
    await world.background.settle()
    assert (world.kept.available, len(world.fleet.made), world.budget.used) == (1, 2, 1)


async def test_one_that_died_while_it_waited_is_replaced() -> None:
    world = World()
    await world.resize(1)
    world.fleet.made[0].state = "dead"
    assert not world.kept.ready()
    await world.background.settle()
    assert world.kept.ready()
    await world.kept.invoke(REQUEST)
    assert [made.invocations for made in world.fleet.made] == [0, 1]
    assert world.budget.used == 1


async def test_one_that_is_unwanted_while_it_works_ends_afterwards() -> None:
    gate = Gate()
    world = World(FakeFleet(gate))
    await world.resize(1)
    running = asyncio.create_task(world.kept.invoke(REQUEST))
    await gate.wait_for(1)
    world.kept.resize(0)
    assert world.kept.allocated == 1
    gate.open.set()
    await running
    await world.background.settle()
    assert (world.kept.allocated, world.budget.used, world.fleet.alive) == (0, 0, [])


async def test_one_that_is_unwanted_in_its_init_phase_ends_at_once() -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(spec: SandboxSpec) -> None:
        begun.set()
        await never.wait()

    world = World()
    world.fleet.initialising = hang
    world.kept.resize(1)
    await begun.wait()
    assert await world.resize(0) == (0, 0, 0)
    assert (world.fleet.alive, world.kept.problem) == ([], "")


async def test_a_machine_without_places_is_a_problem_that_a_new_size_forgets() -> None:
    world = World(places=2)
    assert await world.resize(3) == (2, 2, 2)
    assert world.kept.problem == "this machine holds 2 environments at most"
    assert await world.resize(2) == (2, 2, 2)
    assert world.kept.problem == ""


async def test_an_environment_that_cannot_start_is_a_problem() -> None:
    async def refuse(spec: SandboxSpec) -> None:
        raise UnderstudyError("no", "no namespaces", hint="get some")

    world = World()
    world.fleet.starting = refuse
    assert await world.resize(2) == (0, 0, 0)
    assert (world.kept.problem, len(world.fleet.made)) == ("no namespaces", 1)


async def test_an_init_phase_that_fails_is_a_problem() -> None:
    async def fail(spec: SandboxSpec) -> Fault:
        return Fault(error_type="Runtime.ImportModuleError", body=b"{}")

    world = World()
    world.fleet.initialising = fail
    assert await world.resize(2) == (0, 0, 0)
    assert world.kept.problem == "FUNCTION_ERROR_INIT_FAILURE"
    assert world.fleet.alive == []


async def test_an_init_phase_that_kills_is_a_problem() -> None:
    async def die(spec: SandboxSpec) -> None:
        world.fleet.made[-1].state = "dead"

    world = World()
    world.fleet.initialising = die
    assert await world.resize(2) == (0, 0, 0)
    assert world.kept.problem == "FUNCTION_ERROR_INIT_FAILURE"

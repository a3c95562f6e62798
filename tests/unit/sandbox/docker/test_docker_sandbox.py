"""What process 1 tells of processes, and what a sandbox asks of it and of Docker."""

import asyncio
import dataclasses
import signal

import pytest

from tests.fakes.docker_containers import FakeDocker
from tests.unit.sandbox.docker.test_link import UPGRADED, Wire, come
from understudy.errors import EnvironmentProblemError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.docker import container, frames
from understudy.sandbox.docker.container import DockerHost
from understudy.sandbox.docker.docker_sandbox import DockerSandbox
from understudy.sandbox.docker.link import Link
from understudy.sandbox.model import ExitStatus, SandboxSpec

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()), entrypoint=("/x",), command=(), working_dir="", environment={}, cpu="host"
)
HOST = DockerHost(architecture="amd64", cpus=2, network="host")
ENDED = frames.encode(b"X", 0, b"-9 4096 1")


class World:
    """A sandbox whose process 1 is the test."""

    def __init__(self, spec: SandboxSpec = SPEC) -> None:
        self.docker = FakeDocker()
        self.wire = Wire()
        self.link = Link()
        self.link.connection_made(self.wire)
        self.link.data_received(UPGRADED)
        self.api = self.docker.api()
        self.sandbox = DockerSandbox(
            spec,
            api=self.api,
            link=self.link,
            identifier="c1",
            constraints={},
            listening=container.listening(spec, HOST),
        )

    async def ready(self) -> DockerSandbox:
        await self.api.open()
        come(self.link, frames.encode(b"R", 9001))
        await self.sandbox.ready()
        return self.sandbox


async def test_the_runtime_api_is_where_process_one_listens() -> None:
    sandbox = await World().ready()
    assert sandbox.doorway is not None
    assert sandbox.doorway.address == "127.0.0.1:9001"


async def test_output_comes_before_the_end() -> None:
    world = World()
    sandbox = await world.ready()
    output: list[bytes] = []
    process = sandbox.start(["/x"], {}, output.append)
    come(world.link, frames.encode(b"O", 0, b"hi"), frames.encode(b"M", 2048), ENDED)
    assert await process.wait() == ExitStatus(code=-9, max_rss_bytes=4096, oom_killed=True)
    assert (output, process.memory_peak_bytes()) == ([b"hi"], 2 << 20)


async def test_a_program_that_cannot_start_is_told_by_its_end() -> None:
    world = World()
    sandbox = await world.ready()
    process = sandbox.start(["/x"], {}, lambda _: None)
    come(world.link, frames.encode(b"F", 0, b"\0".join([b"exec", b"2", b"No such file"])), ENDED)
    failed = (await process.wait()).failed
    assert failed is not None
    assert (failed.stage, failed.errno) == ("exec", 2)


async def test_freezing_and_thawing_are_signals_and_only_changes_are_sent() -> None:
    world = World()
    sandbox = await world.ready()
    sandbox.thaw()
    sandbox.freeze()
    sandbox.thaw()
    sandbox.thaw()
    numbers = (signal.SIGSTOP, signal.SIGCONT)
    assert world.wire.sent == b"".join(frames.encode(b"K", number) for number in numbers)


async def test_killing_wakes_first() -> None:
    world = World()
    sandbox = await world.ready()
    process = sandbox.start(["/x"], {}, lambda _: None)
    sandbox.freeze()
    before = len(world.wire.sent)
    process.kill()
    sent = world.wire.sent[before:]
    assert sent == frames.encode(b"K", signal.SIGCONT) + frames.encode(b"K", signal.SIGKILL)


async def test_the_last_wish_for_cpu_wins_before_the_container_ends() -> None:
    world = World(dataclasses.replace(SPEC, cpu="lambda"))
    sandbox = await world.ready()
    world.wire.on_end = lambda: world.link.connection_lost(None)
    sandbox.limit_cpu(2.0)
    sandbox.limit_cpu(0.5)
    await sandbox.close()
    assert world.docker.calls == ["POST /containers/c1/update"]
    assert world.docker.bodies == [container.cpu(0.5)]


async def test_a_lost_container_ends_everything_that_waits() -> None:
    world = World()
    sandbox = await world.ready()
    process = sandbox.start(["/x"], {}, lambda _: None)
    peek = asyncio.create_task(process.peek())
    await asyncio.sleep(0)
    world.link.connection_lost(None)
    assert (await process.wait()).code == -signal.SIGKILL
    assert await peek is None
    assert await process.peek() is None
    assert not sandbox.alive
    late = sandbox.start(["/x"], {}, lambda _: None)
    assert (await late.wait()).code == -signal.SIGKILL


@pytest.mark.parametrize("listening", [True, False])
async def test_a_container_that_does_not_start_is_told_why(listening: bool) -> None:
    world = World()
    if listening:
        come(world.link, frames.encode(b"F", 0, b"\0".join([b"network", b"98", b"Address in use"])))
    else:
        world.link.data_received(b"\x02\0\0\0\0\0\0\x0eAddress in use")
        world.link.connection_lost(None)
    with pytest.raises(EnvironmentProblemError, match="Address in use"):
        await world.sandbox.ready()


async def test_names_are_answered_in_a_sandbox_that_is_cut_off() -> None:
    world = World(dataclasses.replace(SPEC, network="isolated"))
    sandbox = await world.ready()
    query = b"\0\7\1\0\0\1\0\0\0\0\0\0\2db\4test\0\0\1\0\1"
    come(world.link, frames.encode(b"Q", 1, b"sender" + query), frames.encode(b"Q", 1, b"sender?"))
    assert sandbox.isolation is not None
    assert [lookup.name for lookup in sandbox.isolation.lookups] == ["db.test"]
    assert world.wire.sent[9:17] == b"sender\0\7"


async def test_closing_ends_process_one_and_waits_for_it() -> None:
    world = World()
    sandbox = await world.ready()
    world.wire.on_end = lambda: world.link.connection_lost(None)
    closed: list[DockerSandbox] = []
    sandbox.on_closed = closed.append
    await sandbox.close()
    assert (closed, sandbox.alive) == ([sandbox], False)

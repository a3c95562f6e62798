"""What is Docker's alone: containers and images that come and go, and an engine that is somewhere else."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import tools
from tests.contract.driven_engine import Engine, eventually
from tests.fakes.runtime_root import Place
from understudy.sandbox import InvokeRequest, SandboxSpec, executors
from understudy.sandbox.docker.executor import DockerExecutor
from understudy.sandbox.environment import ExecutionEnvironment

FETCH = (
    "import urllib.request; result = urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL']).read().decode()"
)
DEAD = str(2**22 + 1)
"""Beyond Linux's largest process number."""


@pytest.fixture(scope="module")
def spec(sandbox_place: Place) -> SandboxSpec:
    return SandboxSpec(
        rootfs=sandbox_place.rootfs(executors.DOCKER),
        entrypoint=(sandbox_place.interpreter, "/var/task/client.py"),
        command=(),
        working_dir="/var/task",
        environment={"PATH": "/bin"},
        timeout_s=20,
    )


def docker(*arguments: str) -> str:
    done = subprocess.run([tools.require_docker(), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def containers(*filters: str) -> list[str]:
    return docker("ps", "-aq", "--no-trunc", *(f"--filter={each}" for each in filters)).split()


@contextlib.asynccontextmanager
async def opened(state: Path, **environment: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(state, {**os.environ, **environment})
    await executor.open()
    try:
        yield executor
    finally:
        await executor.close()


async def value(executor: DockerExecutor, spec: SandboxSpec, code: str) -> object:
    """What `code` came to in an environment of its own, and the network that it ran in."""
    environment = ExecutionEnvironment(spec, executor=executor, log=lambda _: None)
    await environment.start()
    try:
        result = await environment.invoke(InvokeRequest(request_id="r", payload=json.dumps(code).encode()))
        return json.loads(result.payload), environment.constraints["network"]
    finally:
        await environment.shutdown()


def test_engine_killed_leaves_no_container(sandbox_place: Place) -> None:
    engine = Engine(sandbox_place, executors.DOCKER)
    identifier = engine.seen["container"]
    assert containers(f"id={identifier}") == [identifier]
    engine.process.send_signal(signal.SIGKILL)
    engine.close()
    eventually(lambda: containers(f"id={identifier}"))


def test_container_removed_from_outside_is_a_dead_environment_and_no_more(sandbox_place: Place) -> None:
    engine = Engine(sandbox_place, executors.DOCKER)
    try:
        docker("rm", "-f", engine.seen["container"])
        eventually(lambda: engine.ask("state") != "dead")
        assert engine.ask("again") == "alive"
    finally:
        engine.close()


async def test_image_removed_from_outside_is_loaded_again(spec: SandboxSpec, tmp_path: Path) -> None:
    # A file of its own makes it an image that no other test uses.
    alone = dataclasses.replace(spec, files={"/opt/alone": "1"})
    async with opened(tmp_path) as executor:
        sandbox = await executor.prepare(alone)
        image = docker("inspect", "--format={{.Image}}", sandbox.identifier)
        await sandbox.close()
        eventually(lambda: containers(f"id={sandbox.identifier}"))
        docker("rmi", image)
        answer, _ = await value(executor, alone, "result = open('/opt/alone').read()")
    assert answer == "1"


async def test_what_a_dead_process_left_is_removed(spec: SandboxSpec, tmp_path: Path) -> None:
    async with opened(tmp_path) as executor:
        sandbox = await executor.prepare(spec)
        found = json.loads(docker("inspect", sandbox.identifier))[0]["Config"]
        labels = {**found["Labels"], "understudy.sandbox.process": DEAD}
        arguments = [f"--label={name}={text}" for name, text in labels.items()]
        left = docker("create", *arguments, found["Image"], "/nothing")
        async with opened(tmp_path):
            assert containers(f"id={left}") == []


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
        writer.write_eof()


@contextlib.asynccontextmanager
async def engine_by_tcp() -> AsyncIterator[str]:
    """The Docker engine's address as it is on another machine."""
    tools.require_docker()
    connections: list[asyncio.Task[None]] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection("/var/run/docker.sock")
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        for each in (writer, inner_writer):
            each.close()
            await each.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.create_task(relay(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*connections)


async def answer_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    writer.close()
    await writer.wait_closed()


async def test_engine_on_another_machine_is_enough(spec: SandboxSpec, tmp_path: Path) -> None:
    """It shares no network with this one: Runtime API and AWS endpoint are reached all the same."""
    async with engine_by_tcp() as address, await asyncio.start_server(answer_ok, "127.0.0.1", 0) as endpoint:
        url = f"http://localhost:{endpoint.sockets[0].getsockname()[1]}/"
        named = dataclasses.replace(spec, environment={**spec.environment, "AWS_ENDPOINT_URL": url})
        async with opened(tmp_path, DOCKER_HOST=address) as executor:
            assert await value(executor, named, FETCH) == ("ok", "bridge")

"""One suite against the fake executor and both real ones, so that the fake cannot lie."""

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.runtime import FakeExecutor, ProcessEndedError, RuntimeClient
from tests.fakes.runtime_root import Place
from understudy.image.rootfs import Rootfs
from understudy.sandbox import Executor, ExitStatus, InvokeRequest, SandboxSpec, executors
from understudy.sandbox.environment import ExecutionEnvironment

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()), entrypoint=("/x",), command=(), working_dir="/", environment={}, cpu="host"
)


@pytest.fixture(scope="module")
def place(sandbox_place: Place) -> Place:
    return sandbox_place


async def program(client: RuntimeClient) -> None:
    """Does what `runtime_client` does for the few codes below."""
    while True:
        invocation = await client.next()
        code = json.loads(invocation.payload)
        if "_exit" in code:
            raise ProcessEndedError(ExitStatus(code=4))
        client.print(b"printed\n")
        await client.respond(invocation.request_id, b'"done"')


@contextlib.asynccontextmanager
async def executor_named(name: str, place: Place, state: Path) -> AsyncIterator[tuple[Executor, SandboxSpec]]:
    if name == "fake":
        yield FakeExecutor(program), SPEC
        return
    real = executors.make(name, state)
    await real.open()
    try:
        yield (
            real,
            dataclasses.replace(
                SPEC,
                rootfs=place.rootfs(name),
                entrypoint=(place.interpreter, "/var/task/client.py"),
                environment={"PATH": "/bin"},
                timeout_s=20,
            ),
        )
    finally:
        await real.close()


@pytest.mark.parametrize("name", ["fake", *executors.NAMES])
async def test_environment_behaves_alike_over_every_executor(name: str, place: Place, tmp_path: Path) -> None:
    lines: list[bytes] = []
    async with executor_named(name, place, tmp_path) as (executor, spec):
        environment = ExecutionEnvironment(spec, executor=executor, log=lines.append)
        await environment.start()
        results = []
        for code in (
            "print('printed', flush=True); result = 'done'",
            "os._exit(4)",
            "print('printed', flush=True); result = 'done'",
        ):
            request = InvokeRequest(request_id="r", payload=json.dumps(code).encode())
            results.append(await environment.invoke(request))
        await environment.shutdown()
    assert [result.error_type for result in results] == [None, "Runtime.ExitError", None]
    assert results[0].payload == results[2].payload == b'"done"'
    assert b"exit status 4" in results[1].payload
    assert results[0].init_ms is not None
    assert results[2].init_ms is None
    assert all(result.max_memory_mb > 0 for result in (results[0], results[2]))
    assert [line.split()[0] for line in lines] == [
        *(b"START", b"printed", b"END", b"REPORT"),
        *(b"START", b"END", b"REPORT"),
        *(b"START", b"printed", b"END", b"REPORT"),
    ]
    assert environment.state == "dead"

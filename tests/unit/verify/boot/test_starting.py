"""The two boots, their sandboxes and the reasons for none, over a fake executor."""

import contextlib
import dataclasses
import json
import platform
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime import (
    ExtensionClient,
    FakeExecutor,
    FakeSandbox,
    Recorder,
    RuntimeClient,
    echo,
)
from understudy.errors import EnvironmentProblemError
from understudy.image.rootfs import Rootfs
from understudy.sandbox import SandboxSpec
from understudy.verify import boot
from understudy.verify.boot import BootReport, BootRequest
from understudy.verify.model import Launch

HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
LAUNCH = Launch(
    entrypoint=("/var/lang/bin/python3.13", "-m", "awslambdaric"),
    command=("app.handler",),
    working_dir="/var/task",
    image_env={"PATH": "/bin", "TZ": ":/etc/localtime"},
    function_env={"TABLE": "t"},
    memory_mb=512,
    timeout_s=7,
    function_name="dashboard",
)


EMPTY = Rootfs(layers=())


def image(folder: Path, **files: str) -> Rootfs:
    for path, text in {"var/lang/lib/python3.13/encodings/__init__.py": "", **files}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return Rootfs(layers=(folder,))


async def booted(executor: FakeExecutor, rootfs: Rootfs = EMPTY, **changes: Any) -> BootReport:
    request = BootRequest(rootfs=rootfs, launch=LAUNCH, architecture=HERE, **changes)
    return await boot.boot(request, executor=executor)


async def test_sandbox_is_lambdas_with_the_functions_limits(tmp_path: Path) -> None:
    executor = Recorder(echo)
    await booted(executor, image(tmp_path))
    spec = executor.specs[0]
    assert (spec.memory_mb, spec.timeout_s, spec.init_timeout_s, spec.network) == (512, 7, 10.0, "isolated")
    assert (spec.entrypoint, spec.command, spec.files) == (LAUNCH.entrypoint, LAUNCH.command, {})
    assert spec.environment["AWS_REGION"] == spec.environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert spec.environment["TABLE"] == "t"
    assert "HOME" not in spec.environment
    assert "AWS_ENDPOINT_URL" not in spec.environment


async def test_observer_is_in_the_second_boot_only_and_keeps_the_images_own(tmp_path: Path) -> None:
    executor = Recorder(echo)
    place = "var/lang/lib/python3.13/sitecustomize.py"
    report = await booted(executor, image(tmp_path, **{place: "CUSTOM = 1\n"}))
    first, second = executor.specs
    assert first.files == {}
    (text,) = second.files.values()
    assert set(second.files) == {f"/{place}"}
    assert "CUSTOM = 1" in text
    compile(text, place, "exec")
    assert report.observations is not None
    assert report.observations.problem == "the image's Python did not load the observer"


async def test_sitecustomize_that_would_hide_the_observer_is_replaced(tmp_path: Path) -> None:
    executor = Recorder(echo)
    launch = dataclasses.replace(LAUNCH, function_env={"PYTHONPATH": "/opt/hooks:relative"})
    rootfs = image(tmp_path, **{"opt/hooks/sitecustomize.py": "HOOK = 1\n"})
    await boot.boot(BootRequest(rootfs=rootfs, launch=launch, architecture=HERE), executor=executor)
    assert set(executor.specs[1].files) == {
        "/opt/hooks/sitecustomize.py",
        "/var/lang/lib/python3.13/sitecustomize.py",
    }


async def test_image_without_python_is_booted_once() -> None:
    executor = Recorder(echo)
    report = await booted(executor)
    assert len(executor.specs) == 1
    assert report.started
    assert report.observations is not None
    assert "no Python" in report.observations.problem


async def test_observation_can_be_left_out(tmp_path: Path) -> None:
    executor = Recorder(echo)
    report = await booted(executor, image(tmp_path), observe=False)
    assert len(executor.specs) == 1
    assert report.observations is None


async def test_kind_of_the_handler_is_read_from_its_source(tmp_path: Path) -> None:
    rootfs = image(tmp_path, **{"var/task/app.py": "def handler(event, context): ...\n"})
    report = await booted(Recorder(echo), rootfs, observe=False)
    assert report.kind == "plain"
    assert [each.event.name for each in report.outcomes] == ["{}", "{}"]


async def test_failed_init_sends_nothing_and_is_no_success() -> None:
    async def fails(client: RuntimeClient) -> None:
        await client.fail_init("Runtime.HandlerNotFound", "Handler 'x' missing on module 'app'")

    report = await booted(Recorder(fails))
    assert not report.started
    assert report.outcomes == ()
    assert report.init_ms is None
    assert [each.error_type for each in report.attempts] == ["Runtime.HandlerNotFound"]


async def test_endpoint_that_is_down_is_not_reachable() -> None:
    executor = Recorder(echo)
    report = await booted(executor, endpoint="http://127.0.0.1:1")
    assert report.endpoint_down == "http://127.0.0.1:1"
    assert executor.specs[0].reachable == ()
    assert executor.specs[0].environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


async def test_other_architecture_is_skipped() -> None:
    executor = Recorder(echo)
    request = BootRequest(rootfs=Rootfs(layers=()), launch=LAUNCH, architecture="riscv64")
    report = await boot.boot(request, executor=executor)
    assert "riscv64" in report.skipped
    assert not report.started
    assert executor.specs == []


async def test_machine_that_cannot_isolate_is_skipped_with_the_command_that_helps() -> None:
    class Forbidden(FakeExecutor):
        async def prepare(self, spec: SandboxSpec) -> FakeSandbox:
            raise EnvironmentProblemError("sandbox-forbidden", "no namespaces", hint="sudo sysctl -w x=1")

    report = await booted(Forbidden(echo))
    assert report.skipped == "no namespaces; to change that: sudo sysctl -w x=1"
    assert not report.started


def test_blocking_call_skips_another_architecture_without_an_executor(tmp_path: Path) -> None:
    request = BootRequest(rootfs=Rootfs(layers=()), launch=LAUNCH, architecture="riscv64")
    assert boot.run(request, state_dir=tmp_path).skipped
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("payload", [b'{"own": 1}'])
async def test_own_events_take_the_place_of_synthetic_ones(payload: bytes) -> None:
    own = (boot.Event(name="e.json", kind="own", payload=payload),)
    report = await booted(Recorder(echo), events=own)
    assert [json.loads(each.answer) for each in report.outcomes] == [{"own": 1}] * 2


async def test_boots_with_the_extensions_of_the_image(tmp_path: Path) -> None:
    async def with_agent(client: RuntimeClient) -> None:
        with contextlib.closing(await ExtensionClient.register(client.address, "agent")) as agent:
            agent.ask()
            await echo(client)

    executor = Recorder(with_agent)
    report = await booted(executor, image(tmp_path, **{"opt/extensions/agent": ""}))
    assert report.started
    assert executor.specs[0].extensions == ("/opt/extensions/agent",)


async def test_extension_that_ends_is_what_a_boot_tells(tmp_path: Path) -> None:
    async def with_agent(client: RuntimeClient) -> None:
        agent = await ExtensionClient.register(client.address, "agent")
        agent.ask()
        agent.close()
        await client.next()

    report = await booted(Recorder(with_agent), image(tmp_path, **{"opt/extensions/agent": ""}))
    assert {attempt.error_type for attempt in report.attempts} == {"Extension.Crash"}

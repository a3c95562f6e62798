"""The real awslambdaric, whose native client is libcurl, against our Runtime API in a real sandbox."""

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.runtime_root import Place
from understudy.sandbox import (
    FunctionEnvironment,
    InvokeRequest,
    InvokeResult,
    SandboxSpec,
    executors,
    lambda_environment,
)
from understudy.sandbox.environment import ExecutionEnvironment

RIC = "awslambdaric==4.2.2"
HANDLERS = """
import json, os, sys
import broken_later

def echo(event, context):
    print("handling", context.aws_request_id)
    return {"event": event, "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "left_ms": context.get_remaining_time_in_millis(), "trace": os.environ.get("_X_AMZN_TRACE_ID"),
            "client": context.client_context.custom if context.client_context else None}

def raises(event, context):
    raise ValueError("boom")

def unserialisable(event, context):
    return {1, 2}

def huge(event, context):
    return "x" * event["bytes"]
"""


pytestmark = pytest.mark.parametrize("name", executors.NAMES)


@pytest.fixture(scope="module")
def place(sandbox_place: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    layer = tmp_path_factory.mktemp("ric")
    task = layer / "var/task"
    task.mkdir(parents=True)
    base = Path(sys.base_prefix) / "bin" / Path(sandbox_place.interpreter).name
    environment = tmp_path_factory.mktemp("venv")
    subprocess.run([str(base), "-m", "venv", str(environment)], check=True, capture_output=True)
    pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--target", str(task), RIC]
    subprocess.run(pip, check=True, capture_output=True)
    (task / "app.py").write_text(HANDLERS)
    (task / "broken_later.py").write_text("")
    (task / "chain.py").write_text("import link\n")
    (task / "link.py").write_text("\nimport missing_dependency\n")
    made = dataclasses.replace(sandbox_place, layers=(*sandbox_place.layers, layer))
    made.add_libraries(task.glob("*.so"))
    subprocess.run(["chmod", "-R", "a+rX", str(layer.parent)], check=True)
    return made


@contextlib.asynccontextmanager
async def environment(
    name: str, place: Place, state: Path, handler: str
) -> AsyncIterator[tuple[ExecutionEnvironment, list[str]]]:
    executor = executors.make(name, state)
    await executor.open()
    log: list[str] = []
    spec = SandboxSpec(
        rootfs=place.rootfs(name),
        entrypoint=(place.interpreter, "-m", "awslambdaric"),
        command=(handler,),
        working_dir="/var/task",
        environment=lambda_environment(
            FunctionEnvironment(function_name="f", memory_mb=512, image=(("PATH", "/bin"),))
        ),
        memory_mb=512,
        timeout_s=20,
        cpu="host",
    )
    made = ExecutionEnvironment(spec, executor=executor, log=lambda line: log.append(line.decode()))
    try:
        await made.start()
        yield made, log
    finally:
        await made.shutdown()
        await executor.close()


async def run(made: ExecutionEnvironment, payload: object, **more: str) -> InvokeResult:
    request = InvokeRequest(request_id="r-1", payload=json.dumps(payload).encode(), **more)  # type: ignore[arg-type]
    return await made.invoke(request)


async def test_event_and_context_arrive(name: str, place: Place, tmp_path: Path) -> None:
    async with environment(name, place, tmp_path, "app.echo") as (made, log):
        first = await run(
            made,
            {"n": 1},
            invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f:live",
            trace_id="Root=1-2-3",
            client_context='{"custom": {"a": "b"}}',
        )
        for number in range(50):
            again = await run(made, {"n": number})
            assert json.loads(again.payload).get("event") == {"n": number}, again.log_tail.decode()
    answer = json.loads(first.payload)
    assert answer["event"] == {"n": 1}
    assert answer["arn"].endswith(":live")
    assert answer["memory"] == "512"
    assert 0 < answer["left_ms"] <= 20_000
    assert answer["trace"] == "Root=1-2-3"
    assert answer["client"] == {"a": "b"}
    assert "handling r-1\n" in log


async def test_handler_error_keeps_its_type_and_one_log_line(name: str, place: Place, tmp_path: Path) -> None:
    async with environment(name, place, tmp_path, "app.raises") as (made, log):
        result = await run(made, {})
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload)["errorType"] == "ValueError"
    errors = [line for line in log if line.startswith("[ERROR]")]
    assert len(errors) == 1
    assert "\rTraceback (most recent call last):\r" in errors[0]


async def test_shutting_down_writes_nothing(name: str, place: Place, tmp_path: Path) -> None:
    for _ in range(5):
        async with environment(name, place, tmp_path, "app.echo") as (made, log):
            await run(made, {})
        assert log[-1].startswith("REPORT ")


async def test_unserialisable_answer_is_a_marshal_error(name: str, place: Place, tmp_path: Path) -> None:
    async with environment(name, place, tmp_path, "app.unserialisable") as (made, _):
        result = await run(made, {})
    assert json.loads(result.payload)["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("size", "error_type"), [(6_000_000, None), (6_291_555, "Function.ResponseSizeTooLarge")]
)
async def test_answers_up_to_six_megabytes_pass(
    name: str, place: Place, tmp_path: Path, size: int, error_type: str | None
) -> None:
    async with environment(name, place, tmp_path, "app.huge") as (made, _):
        result = await run(made, {"bytes": size})
        after = await run(made, {"bytes": 1})
    assert result.error_type == error_type
    if error_type is None:
        assert len(result.payload) == size + 2
        assert after.payload == b'"x"'


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("nosuch.handler", "Runtime.ImportModuleError"),
        ("app.nosuch", "Runtime.HandlerNotFound"),
        ("app", "Runtime.MalformedHandlerName"),
    ],
)
async def test_init_error_of_the_client_is_passed_on(
    name: str, place: Place, tmp_path: Path, handler: str, error_type: str
) -> None:
    async with environment(name, place, tmp_path, handler) as (made, log):
        result = await run(made, {})
    assert result.error_type == error_type
    assert json.loads(result.payload)["errorType"] == error_type
    assert f"Phase: init\tStatus: error\tError Type: {error_type}\n" in "".join(log)


async def test_import_chain_is_recovered(name: str, place: Place, tmp_path: Path) -> None:
    async with environment(name, place, tmp_path, "chain.handler") as (made, log):
        result = await run(made, {})
        report = made.init_report
    assert "No module named 'missing_dependency'" in json.loads(result.payload)["errorMessage"]
    assert report is not None
    assert report.import_chain is not None
    assert [(frame.path, frame.line, frame.source) for frame in report.import_chain.frames] == [
        ("/var/task/chain.py", 1, "import link"),
        ("/var/task/link.py", 2, "import missing_dependency"),
    ]
    assert "understudy:   /var/task/link.py:2: import missing_dependency\n" in log

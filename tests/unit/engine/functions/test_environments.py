import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.functions.service import LambdaConfig


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    yield made
    await made.close()


async def environment(world: World) -> dict[str, str]:
    seen = json.loads((await world.service.invoke(ARN, b"{}")).payload)["environment"]
    return dict(seen)


async def test_the_process_sees_what_lambda_sets(world: World) -> None:
    await world.active(MemorySize=512, Environment={"Variables": {"MINE": "1", "FROM_IMAGE": "no"}})
    seen = await environment(world)
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "dash"
    assert seen["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "us-east-1"
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_Image"
    assert (seen["MINE"], seen["FROM_IMAGE"], seen["PATH"]) == ("1", "no", "/bin")
    assert "HOME" not in seen
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/dash"
    stream = seen["AWS_LAMBDA_LOG_STREAM_NAME"]
    await world.close()
    assert ("/aws/lambda/dash", stream) in world.logs.streams


async def test_the_access_key_is_the_account(world: World) -> None:
    await world.active()
    assert (await environment(world))["AWS_ACCESS_KEY_ID"] == "000000000000"


async def test_the_endpoint_is_injected_unless_the_function_has_its_own(world: World) -> None:
    await world.active()
    assert (await environment(world))["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    own = {"Variables": {"AWS_ENDPOINT_URL": "http://mine"}}
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Environment=own)
    await world.service.settle()
    assert (await environment(world))["AWS_ENDPOINT_URL"] == "http://mine"


async def test_the_injection_can_be_switched_off(tmp_path: Path) -> None:
    world = await World(tmp_path, config=LambdaConfig(inject_endpoint_url=False)).start()
    await world.active()
    assert "AWS_ENDPOINT_URL" not in await environment(world)
    await world.close()


async def test_image_config_overrides_the_image(world: World) -> None:
    await world.active(ImageConfig={"Command": ["other.handler"], "WorkingDirectory": "/srv"})
    await world.service.invoke(ARN, b"{}")
    spec = world.fleet.made[0].spec
    assert (spec.entrypoint, spec.command, spec.working_dir) == (
        ("/lambda-entrypoint.sh",),
        ("other.handler",),
        "/srv",
    )
    assert spec.environment["PWD"] == "/srv"


async def test_limits_reach_the_sandbox(world: World) -> None:
    await world.active(MemorySize=512, Timeout=9, EphemeralStorage={"Size": 1024})
    await world.service.invoke(ARN, b"{}")
    spec = world.fleet.made[0].spec
    assert (spec.memory_mb, spec.timeout_s, spec.ephemeral_mb) == (512, 9, 1024)
    assert spec == replace(spec, function_name="dash", function_version="$LATEST")


async def test_logs_go_where_the_function_says(world: World) -> None:
    await world.active(LoggingConfig={"LogGroup": "mine"})
    await world.service.invoke(ARN, b"{}")
    await world.close()
    assert [group for group, _ in world.logs.streams] == ["mine"]


async def test_json_logging_is_told_to_the_runtime_client(world: World) -> None:
    await world.active(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    seen = await environment(world)
    assert (seen["AWS_LAMBDA_LOG_FORMAT"], seen["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "WARN")
    spec = world.fleet.made[0].spec
    assert (spec.log_format, spec.application_level, spec.system_level) == ("JSON", "WARN", "INFO")

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.protocol import ApiError


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    await made.active()
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("GetFunctionCodeSigningConfig", {"FunctionName": "dash"}),
        ("GetRuntimeManagementConfig", {"UpdateRuntimeOn": "Auto", "FunctionArn": f"{ARN}:$LATEST"}),
        ("GetFunctionRecursionConfig", {"RecursiveLoop": "Allow"}),
        ("ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": []}),
        ("ListEventSourceMappings", {"EventSourceMappings": []}),
    ],
)
async def test_there_is_none(world: World, operation: str, answer: dict[str, object]) -> None:
    assert await world.call(operation, FunctionName="dash") == answer


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GetProvisionedConcurrencyConfig", "ProvisionedConcurrencyConfigNotFoundException"),
    ],
)
async def test_what_is_not_there_is_not_found(world: World, operation: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        await world.call(operation, FunctionName="dash", Qualifier="$LATEST")
    assert (caught.value.code, caught.value.status) == (code, 404)


async def test_the_function_has_to_exist(world: World) -> None:
    for operation in ("GetFunctionCodeSigningConfig", "ListProvisionedConcurrencyConfigs"):
        with pytest.raises(ApiError, match="Function not found"):
            await world.call(operation, FunctionName="gone")

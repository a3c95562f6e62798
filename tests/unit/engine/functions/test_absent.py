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
    ],
)
async def test_there_is_none(world: World, operation: str, answer: dict[str, object]) -> None:
    assert await world.call(operation, FunctionName="dash") == answer


async def test_the_function_has_to_exist(world: World) -> None:
    with pytest.raises(ApiError, match="Function not found"):
        await world.call("GetFunctionCodeSigningConfig", FunctionName="gone")

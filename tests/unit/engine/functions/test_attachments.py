from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.protocol import ApiError


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    await made.active()
    yield made
    await made.close()


async def test_reserved_concurrency(world: World) -> None:
    assert await world.call("GetFunctionConcurrency", FunctionName="dash") == {}
    put = await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=7)
    assert put == {"ReservedConcurrentExecutions": 7}
    got = await world.call("GetFunction", FunctionName="dash")
    assert got["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    settings = await world.call("GetAccountSettings")
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 993
    assert settings["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 1}
    await world.call("DeleteFunctionConcurrency", FunctionName="dash")
    assert await world.call("GetFunctionConcurrency", FunctionName="dash") == {}


async def test_refuses_reservations(world: World) -> None:
    with pytest.raises(ApiError, match="below its minimum value of"):
        await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=901)
    with pytest.raises(ApiError, match="This operation is permitted on Lambda functions only"):
        await world.call("PutFunctionConcurrency", FunctionName="dash:1", ReservedConcurrentExecutions=1)


async def test_event_invoke_config(world: World) -> None:
    put = await world.call(
        "PutFunctionEventInvokeConfig",
        FunctionName="dash",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}},
    )
    assert put["FunctionArn"] == f"{ARN}:$LATEST"
    assert put["DestinationConfig"]["OnSuccess"] == {}
    assert "MaximumEventAgeInSeconds" not in put
    updated = await world.call(
        "UpdateFunctionEventInvokeConfig", FunctionName="dash", MaximumEventAgeInSeconds=60
    )
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 60)
    assert await world.call("GetFunctionEventInvokeConfig", FunctionName="dash") == updated
    listed = await world.call("ListFunctionEventInvokeConfigs", FunctionName="dash")
    assert listed == {"FunctionEventInvokeConfigs": [updated]}
    await world.call("DeleteFunctionEventInvokeConfig", FunctionName="dash")
    with pytest.raises(ApiError) as caught:
        await world.call("GetFunctionEventInvokeConfig", FunctionName="dash")
    assert caught.value.message == f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"FunctionName": "dash"}, "You must specify at least one of error handling or destination"),
        ({"FunctionName": "gone", "MaximumRetryAttempts": 1}, "The function doesn't exist."),
        ({"FunctionName": "dash:9", "MaximumRetryAttempts": 1}, "The function doesn't exist."),
        ({"FunctionName": "dash", "MaximumRetryAttempts": 3}, "less than or equal to 2"),
        ({"FunctionName": "dash", "MaximumEventAgeInSeconds": 59}, "greater than or equal to 60"),
    ],
)
async def test_refuses_event_invoke_configs(world: World, params: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        await world.call("PutFunctionEventInvokeConfig", **params)
    assert text in caught.value.message

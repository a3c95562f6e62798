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


async def test_a_url_from_creation_to_deletion(world: World) -> None:
    made = await world.call("CreateFunctionUrlConfig", FunctionName="dash", AuthType="NONE")
    host, _, rest = made["FunctionUrl"].removeprefix("http://").partition(".")
    assert (len(host), host.isalnum(), host.islower() or host.isdigit()) == (32, True, True)
    assert rest == "lambda-url.us-east-1.localhost.localstack.cloud:4566/"
    assert (made["FunctionArn"], made["InvokeMode"]) == (ARN, "BUFFERED")
    assert "Cors" not in made
    cors = {"AllowOrigins": ["*"]}
    changed = await world.call(
        "UpdateFunctionUrlConfig", FunctionName="dash", Cors=cors, InvokeMode="RESPONSE_STREAM"
    )
    assert changed["FunctionUrl"] == made["FunctionUrl"]
    assert (changed["Cors"], changed["InvokeMode"], changed["AuthType"]) == (cors, "RESPONSE_STREAM", "NONE")
    assert await world.call("GetFunctionUrlConfig", FunctionName="dash") == changed
    changed = await world.call("UpdateFunctionUrlConfig", FunctionName="dash", Cors={}, AuthType="AWS_IAM")
    assert ("Cors" in changed, changed["AuthType"]) == (False, "AWS_IAM")
    await world.call("DeleteFunctionUrlConfig", FunctionName="dash")
    assert await world.call("ListFunctionUrlConfigs", FunctionName="dash") == {"FunctionUrlConfigs": []}
    assert world.service.url(host) is None


async def test_an_alias_has_its_own_url_and_takes_it_along(world: World) -> None:
    await world.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="$LATEST")
    await world.call("CreateFunctionUrlConfig", FunctionName="dash", AuthType="NONE")
    made = await world.call("CreateFunctionUrlConfig", FunctionName="dash", Qualifier="live", AuthType="NONE")
    assert made["FunctionArn"] == f"{ARN}:live"
    found = world.service.url(made["FunctionUrl"][7:39])
    assert found is not None
    assert found[1].qualifier == "live"
    listed = await world.call("ListFunctionUrlConfigs", FunctionName="dash", MaxItems=1)
    assert [item["FunctionArn"] for item in listed["FunctionUrlConfigs"]] == [ARN]
    assert listed["NextMarker"] == "live"
    await world.call("DeleteAlias", FunctionName="dash", Name="live")
    assert world.service.url(made["FunctionUrl"][7:39]) is None


@pytest.mark.parametrize(
    ("operation", "params", "text"),
    [
        ("CreateFunctionUrlConfig", {"FunctionName": "gone", "AuthType": "NONE"}, "Function does not exist"),
        ("CreateFunctionUrlConfig", {"Qualifier": "gone", "AuthType": "NONE"}, "Function does not exist"),
        (
            "CreateFunctionUrlConfig",
            {"AuthType": "NONE"},
            "FunctionUrlConfig exists for this Lambda function",
        ),
        ("GetFunctionUrlConfig", {"Qualifier": "gone"}, "The resource you requested does not exist."),
        ("DeleteFunctionUrlConfig", {"Qualifier": "gone"}, "The resource you requested does not exist."),
        ("ListFunctionUrlConfigs", {"FunctionName": "gone"}, "Function not found"),
    ],
)
async def test_refusals(world: World, operation: str, params: dict[str, str], text: str) -> None:
    await world.call("CreateFunctionUrlConfig", FunctionName="dash", AuthType="NONE")
    with pytest.raises(ApiError, match=text):
        await world.call(operation, **{"FunctionName": "dash", **params})


async def test_a_url_survives_the_engine(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    made = await world.call(
        "CreateFunctionUrlConfig", FunctionName="dash", AuthType="NONE", Cors={"MaxAge": 1}
    )
    await world.close()
    again = await World(tmp_path).start()
    found = await again.call("GetFunctionUrlConfig", FunctionName="dash")
    assert found == {**made, "LastModifiedTime": made["CreationTime"]}
    await again.close()

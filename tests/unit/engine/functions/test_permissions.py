import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.protocol import ApiError

GATEWAY = "apigateway.amazonaws.com"
API = "arn:aws:execute-api:us-east-1:000000000000:abc/*/*"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    await made.active(Publish=True)
    await made.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1")
    yield made
    await made.close()


async def add(world: World, **params: Any) -> dict[str, Any]:
    base = {"FunctionName": "dash", "StatementId": "api", "Action": "lambda:InvokeFunction"}
    return await world.call("AddPermission", **{**base, "Principal": GATEWAY, **params})


async def test_policies_hang_on_qualifiers(world: World) -> None:
    answer = await add(world, Qualifier="live", SourceArn=API)
    assert json.loads(answer["Statement"])["Resource"] == f"{ARN}:live"
    policy = await world.call("GetPolicy", FunctionName="dash", Qualifier="live")
    assert policy["Policy"].startswith('{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"api",')
    alias = await world.call("GetAlias", FunctionName="dash", Name="live")
    assert policy["RevisionId"] == alias["RevisionId"]
    with pytest.raises(ApiError, match="The resource you requested does not exist"):
        await world.call("GetPolicy", FunctionName="dash")


async def test_every_change_moves_the_revision(world: World) -> None:
    before = await world.call("GetFunctionConfiguration", FunctionName="dash")
    await add(world, RevisionId=before["RevisionId"])
    with pytest.raises(ApiError) as caught:
        await add(world, StatementId="other", RevisionId=before["RevisionId"])
    assert caught.value.code == "PreconditionFailedException"
    after = await world.call("GetPolicy", FunctionName="dash")
    await world.call(
        "RemovePermission", FunctionName="dash", StatementId="api", RevisionId=after["RevisionId"]
    )
    with pytest.raises(ApiError, match="does not exist"):
        await world.call("GetPolicy", FunctionName="dash")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Qualifier": "$LATEST"}, "We currently do not support adding policies for $LATEST."),
        ({"Qualifier": "nope"}, f"Cannot find alias arn: {ARN}:nope"),
        ({"Qualifier": "42"}, f"Function not found: {ARN}:42"),
        ({"FunctionName": "other"}, f"Function not found: {ARN[:-4]}other"),
    ],
)
async def test_refuses_to_add(world: World, params: dict[str, str], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        await add(world, **params)
    assert caught.value.message == text


async def test_refuses_to_remove_what_is_not_there(world: World) -> None:
    with pytest.raises(ApiError, match="No policy is associated with the given resource"):
        await world.call("RemovePermission", FunctionName="dash", StatementId="api")
    await add(world)
    with pytest.raises(ApiError, match="Statement other is not found in resource policy"):
        await world.call("RemovePermission", FunctionName="dash", StatementId="other")
    with pytest.raises(ApiError, match="No policy found for: "):
        await world.call("RemovePermission", FunctionName="gone", StatementId="other")


async def test_the_gateway_asks_for_one_qualifier(world: World) -> None:
    await add(world, Qualifier="live", SourceArn=API)
    called = "arn:aws:execute-api:us-east-1:000000000000:abc/$default/GET/x"
    permits = world.service.permits
    assert permits(f"{ARN}:live", principal=GATEWAY, source_arn=called)
    assert not permits(ARN, principal=GATEWAY, source_arn=called)
    assert not permits(f"{ARN}:live", principal=GATEWAY, source_arn=called.replace("abc", "xyz"))
    assert not permits(f"{ARN[:-4]}gone", principal=GATEWAY, source_arn=called)

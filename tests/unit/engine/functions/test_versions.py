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


async def touch(world: World, text: str) -> None:
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Description=text)
    await world.service.settle()


async def test_a_version_is_what_latest_was(world: World) -> None:
    first = await world.call("PublishVersion", FunctionName="dash", Description="one")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", f"{ARN}:1", "one")
    assert (first["State"], first["LastUpdateStatus"]) == ("Active", "Successful")
    await touch(world, "changed")
    again = await world.call("GetFunctionConfiguration", FunctionName="dash", Qualifier="1")
    assert again["Description"] == "one"


async def test_nothing_new_publishes_nothing(world: World) -> None:
    first = await world.call("PublishVersion", FunctionName="dash")
    same = await world.call("PublishVersion", FunctionName="dash", Description="other")
    assert (same["Version"], same["RevisionId"], same["Description"]) == ("1", first["RevisionId"], "")
    await touch(world, "")
    assert (await world.call("PublishVersion", FunctionName="dash"))["Version"] == "1"
    await touch(world, "new")
    assert (await world.call("PublishVersion", FunctionName="dash"))["Version"] == "2"
    listed = await world.call("ListVersionsByFunction", FunctionName="dash")
    assert [item["Version"] for item in listed["Versions"]] == ["$LATEST", "1", "2"]


async def test_numbers_are_never_used_again(world: World) -> None:
    await world.call("PublishVersion", FunctionName="dash")
    await world.call("DeleteFunction", FunctionName="dash", Qualifier="1")
    assert (await world.call("PublishVersion", FunctionName="dash"))["Version"] == "2"


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"RevisionId": "old"}, "PreconditionFailedException", "The Revision Id provided does not match"),
        (
            {"CodeSha256": "nope"},
            "InvalidParameterValueException",
            "CodeSHA256 (nope) is different from current CodeSHA256 in $LATEST (",
        ),
    ],
)
async def test_preconditions_of_publishing(
    world: World, params: dict[str, str], code: str, text: str
) -> None:
    with pytest.raises(ApiError) as caught:
        await world.call("PublishVersion", FunctionName="dash", **params)
    assert caught.value.code == code
    assert text in caught.value.message


async def test_an_alias_from_cradle_to_grave(world: World) -> None:
    await world.call("PublishVersion", FunctionName="dash")
    await touch(world, "two")
    await world.call("PublishVersion", FunctionName="dash")
    made = await world.call(
        "CreateAlias",
        FunctionName="dash",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.2}},
    )
    assert made["AliasArn"] == f"{ARN}:live"
    assert made["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.2}}
    with pytest.raises(ApiError, match="Alias already exists: "):
        await world.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1")
    by_alias = await world.call("GetFunction", FunctionName="dash:live")
    assert by_alias["Configuration"]["FunctionArn"] == f"{ARN}:live"
    assert by_alias["Configuration"]["Version"] == "1"
    moved = await world.call(
        "UpdateAlias",
        FunctionName="dash",
        Name="live",
        FunctionVersion="2",
        RoutingConfig={},
        RevisionId=made["RevisionId"],
    )
    assert "RoutingConfig" not in moved
    assert (moved["FunctionVersion"], moved["RevisionId"] != made["RevisionId"]) == ("2", True)
    with pytest.raises(ApiError, match="does not match the latest Revision Id"):
        await world.call("UpdateAlias", FunctionName="dash", Name="live", RevisionId=made["RevisionId"])
    listed = await world.call("ListAliases", FunctionName="dash", FunctionVersion="2")
    assert [item["Name"] for item in listed["Aliases"]] == ["live"]
    assert (await world.call("ListAliases", FunctionName="dash", FunctionVersion="1"))["Aliases"] == []
    await world.call("DeleteAlias", FunctionName="dash", Name="live")
    await world.call("DeleteAlias", FunctionName="dash", Name="live")
    with pytest.raises(ApiError) as caught:
        await world.call("GetAlias", FunctionName="dash", Name="live")
    assert caught.value.message == f"Cannot find alias arn: {ARN}:live"


async def test_an_alias_of_an_unknown_function_names_the_version(world: World) -> None:
    with pytest.raises(ApiError) as caught:
        await world.call("CreateAlias", FunctionName="other", Name="live", FunctionVersion="1")
    assert caught.value.message.endswith(":function:other:1")


async def test_an_update_keeps_weights_that_it_does_not_name(world: World) -> None:
    await world.call("PublishVersion", FunctionName="dash")
    await touch(world, "two")
    await world.call("PublishVersion", FunctionName="dash")
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    await world.call(
        "CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1", RoutingConfig=weights
    )
    kept = await world.call("UpdateAlias", FunctionName="dash", Name="live", Description="d")
    assert (kept["RoutingConfig"], kept["Description"]) == (weights, "d")

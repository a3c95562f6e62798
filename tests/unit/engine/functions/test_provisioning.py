from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.protocol import ApiError


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Versions 1 and 2, and an alias `live` of 1."""
    made = await World(tmp_path).start()
    await made.active()
    await made.call("PublishVersion", FunctionName="dash")
    await made.call("UpdateFunctionConfiguration", FunctionName="dash", Description="two")
    await made.service.settle()
    await made.call("PublishVersion", FunctionName="dash")
    await made.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1")
    await made.service.settle()
    yield made
    await made.close()


async def put(world: World, qualifier: str, count: int) -> dict[str, Any]:
    return await world.call(
        "PutProvisionedConcurrencyConfig",
        FunctionName="dash",
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=count,
    )


async def got(world: World, qualifier: str) -> dict[str, Any]:
    await world.service.settle()
    return await world.call("GetProvisionedConcurrencyConfig", FunctionName="dash", Qualifier=qualifier)


def kept(world: World) -> list[str]:
    """The versions of the environments that say of themselves that they are kept ready."""
    return sorted(
        each.spec.function_version
        for each in world.fleet.alive
        if each.spec.environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    )


async def test_an_alias_gets_ready_environments_that_its_requests_use(world: World) -> None:
    first = await put(world, "live", 2)
    assert (first["Status"], first["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    ready = await got(world, "live")
    assert (ready["Status"], ready["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert kept(world) == ["1", "1"]
    await world.service.invoke(f"{ARN}:live", b"{}")
    used = [each for each in world.fleet.made if each.invocations]
    assert used[0].spec.environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    assert used[0].spec.init_timeout_s == 130


async def test_they_follow_an_alias_to_its_next_version(world: World) -> None:
    await put(world, "live", 1)
    await world.service.settle()
    await world.call("UpdateAlias", FunctionName="dash", Name="live", FunctionVersion="2")
    assert (await got(world, "live"))["Status"] == "READY"
    assert kept(world) == ["2"]


async def test_a_version_reached_past_its_alias_uses_others(world: World) -> None:
    await put(world, "live", 1)
    await world.service.settle()
    await world.service.invoke(f"{ARN}:1", b"{}")
    used = [each for each in world.fleet.made if each.invocations]
    assert used[0].spec.environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"


async def test_they_survive_the_engine_and_end_with_their_configuration(world: World, tmp_path: Path) -> None:
    await put(world, "2", 1)
    await world.service.settle()
    second = await World(tmp_path).start()
    assert (await got(second, "2"))["Status"] == "READY"
    listed = await second.call("ListProvisionedConcurrencyConfigs", FunctionName="dash")
    assert [one["FunctionArn"] for one in listed["ProvisionedConcurrencyConfigs"]] == [f"{ARN}:2"]
    await second.call("DeleteProvisionedConcurrencyConfig", FunctionName="dash", Qualifier="2")
    await second.service.settle()
    assert kept(second) == []
    with pytest.raises(ApiError, match="No Provisioned Concurrency Config found"):
        await got(second, "2")
    await second.close()


async def test_more_than_this_machine_holds_fails_with_the_reason(world: World) -> None:
    await put(world, "2", 60)
    failed = await got(world, "2")
    assert (failed["Status"], failed["StatusReason"]) == (
        "FAILED",
        "this machine holds 50 environments at most",
    )


@pytest.mark.parametrize(
    ("qualifier", "count", "text"),
    [
        ("$LATEST", 1, "unpublished"),
        ("3", 1, "Function not found"),
        ("live", 1, "already Provisioned version"),
        ("2", 4, "should not be greater than the reservedConcurrentExecution"),
    ],
)
async def test_refuses(world: World, qualifier: str, count: int, text: str) -> None:
    await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=4)
    await put(world, "1", 1)
    with pytest.raises(ApiError, match=text):
        await put(world, qualifier, count)


async def test_a_reservation_holds_what_is_provisioned(world: World) -> None:
    await put(world, "live", 2)
    with pytest.raises(ApiError, match="should not be lower than function's total provisioned"):
        await world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=1)
    with pytest.raises(ApiError, match="Version is pointed by a Provisioned Concurrency alias"):
        await put(world, "1", 1)
    settings = await world.call("GetAccountSettings")
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 998

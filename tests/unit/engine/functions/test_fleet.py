from pathlib import Path

import pytest

from tests.fakes.lambda_world import ARN, World
from understudy.engine.functions.service import LambdaConfig
from understudy.engine.protocol import ApiError


async def two_versions(world: World) -> None:
    await world.active()
    await world.call("PublishVersion", FunctionName="dash")
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Description="two")
    await world.service.settle()
    await world.call("PublishVersion", FunctionName="dash")


async def test_an_alias_moved_to_another_version_is_warmed(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await two_versions(world)
    await world.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1")
    await world.call("UpdateAlias", FunctionName="dash", Name="live", FunctionVersion="2")
    assert [each.spec.function_version for each in world.fleet.made] == ["1", "2"]
    outcome = await world.service.invoke(f"{ARN}:live", b"{}")
    assert outcome.executed_version == "2"
    assert len(world.fleet.made) == 2
    await world.close()


async def test_without_prewarming_nothing_starts_before_a_request(tmp_path: Path) -> None:
    world = await World(tmp_path, config=LambdaConfig(prewarm=False)).start()
    await two_versions(world)
    await world.call("CreateAlias", FunctionName="dash", Name="live", FunctionVersion="1")
    assert world.fleet.made == []
    await world.close()


async def test_environments_of_a_deleted_version_end(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await two_versions(world)
    await world.service.invoke(f"{ARN}:1", b"{}")
    await world.service.invoke(f"{ARN}:2", b"{}")
    await world.call("DeleteFunction", FunctionName="dash", Qualifier="1")
    await world.service.settle()
    assert [each.spec.function_version for each in world.fleet.alive] == ["2"]
    with pytest.raises(ApiError, match="Function not found"):
        await world.service.invoke(f"{ARN}:1", b"{}")
    await world.close()


async def test_published_versions_keep_their_environments_when_latest_changes(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await two_versions(world)
    await world.service.invoke(f"{ARN}:1", b"{}")
    await world.service.invoke(ARN, b"{}")
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Timeout=9)
    await world.service.settle()
    alive = [(each.spec.function_version, each.spec.timeout_s) for each in world.fleet.alive]
    assert alive == [("1", 3), ("$LATEST", 9)]
    await world.close()


async def test_tags_do_not_end_environments(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    await world.service.invoke(ARN, b"{}")
    await world.call("TagResource", Resource=ARN, Tags={"a": "b"})
    await world.service.invoke(ARN, b"{}")
    assert [each.invocations for each in world.fleet.made] == [2]
    await world.close()


async def test_a_pending_function_takes_no_requests(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.create()
    with pytest.raises(ApiError, match="currently in the following state: Pending"):
        await world.service.invoke(ARN, b"{}")
    await world.service.settle()
    assert (await world.service.invoke(ARN, b"{}")).status == 200
    await world.close()

from pathlib import Path

from tests.fakes.lambda_world import World


async def test_a_change_that_a_killed_engine_left_behind_is_taken_up(tmp_path: Path) -> None:
    first = await World(tmp_path).start()
    await first.create(Publish=True)
    # Killed: nothing is closed, the transition never ran.
    second = World(tmp_path)
    await second.start()
    await second.service.settle()
    for qualifier in ("$LATEST", "1"):
        found = await second.call("GetFunctionConfiguration", FunctionName="dash", Qualifier=qualifier)
        assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert (await second.call("Invoke", FunctionName="dash:1"))["ExecutedVersion"] == "1"
    await second.close()
    await first.close()


async def test_an_interrupted_update_is_taken_up(tmp_path: Path) -> None:
    first = await World(tmp_path).start()
    await first.active()
    digest = first.push("2")
    await first.call("UpdateFunctionCode", FunctionName="dash", ImageUri=first.uri("2"))
    second = await World(tmp_path).start()
    await second.service.settle()
    found = await second.call("GetFunctionConfiguration", FunctionName="dash")
    assert (found["LastUpdateStatus"], found["CodeSha256"]) == ("Successful", digest[7:])
    await second.close()
    await first.close()


async def test_an_image_in_use_is_kept(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    old = world.repositories.tags["1"]
    new = world.push("2")
    await world.call("PublishVersion", FunctionName="dash")
    await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri("2"))
    await world.service.settle()
    assert {each for roots in world.repositories.roots for each in roots()} == {old, new}
    await world.call("DeleteFunction", FunctionName="dash")
    assert {each for roots in world.repositories.roots for each in roots()} == set()
    await world.close()


async def test_new_code_is_warmed_when_the_old_had_traffic(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    world.push("2")
    await world.call("UpdateFunctionCode", FunctionName="dash", ImageUri=world.uri("2"))
    await world.service.settle()
    assert world.fleet.made == []
    await world.call("Invoke", FunctionName="dash")
    await world.call("UpdateFunctionConfiguration", FunctionName="dash", Timeout=9)
    await world.service.settle()
    assert [each.spec.timeout_s for each in world.fleet.alive] == [9]
    await world.call("Invoke", FunctionName="dash")
    assert [each.invocations for each in world.fleet.made] == [1, 1]
    await world.close()

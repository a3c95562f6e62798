import json
from pathlib import Path

from tests.fakes.lambda_world import World


async def test_an_image_for_another_machine_is_accepted_and_fails_at_its_first_run(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    world.push("arm", architecture="arm64")
    active = await world.active(Code={"ImageUri": world.uri("arm")})
    assert (active["State"], active["Architectures"]) == ("Active", ["x86_64"])
    answer = await world.call("Invoke", FunctionName="dash", LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    error = json.loads(answer["Payload"])
    assert error["errorType"] == "Runtime.InvalidEntrypoint"
    assert error["errorMessage"] == (
        "RequestId: id-Invoke Error: fork/exec /lambda-entrypoint.sh: exec format error"
    )
    await world.close()
    (lines,) = world.logs.streams.values()
    assert lines[0] == (
        "IMAGE\tLaunch error: fork/exec /lambda-entrypoint.sh: exec format error\t"
        "Entrypoint: [/lambda-entrypoint.sh]\tCmd: [app.handler]\tWorkingDir: [/var/task]\n"
    )
    assert world.fleet.made == []


async def test_a_function_for_the_image_s_machine_is_run(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    world.push("arm", architecture="arm64")
    await world.active(Code={"ImageUri": world.uri("arm")}, Architectures=["arm64"])
    await world.call("Invoke", FunctionName="dash")
    assert len(world.fleet.made) == 1
    await world.close()

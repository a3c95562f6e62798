"""A function whose creation was answered is there after kill -9, and its transition is taken up."""

import asyncio
import signal
import sys
from pathlib import Path

from tests.fakes.lambda_world import World

_VICTIM = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.fakes.lambda_world import World


async def main() -> None:
    world = await World(Path(sys.argv[1])).start()
    await world.create(Publish=True, Tags={"a": "b"})
    await world.active(FunctionName="settled")
    await world.call("Invoke", FunctionName="settled", InvocationType="Event", Payload=b'{"later":1}')
    await world.call("UpdateFunctionConfiguration", FunctionName="settled", Timeout=7)
    os.kill(os.getpid(), signal.SIGKILL)


asyncio.run(main())
"""


async def test_survives_kill_9(tmp_path: Path) -> None:
    repository = Path(__file__).parents[2]
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _VICTIM, str(tmp_path), cwd=repository
    )
    assert await victim.wait() == -signal.SIGKILL
    world = World(tmp_path)
    await world.start()
    await world.service.settle()
    created = await world.call("GetFunction", FunctionName="dash", Qualifier="1")
    assert created["Configuration"]["State"] == "Active"
    assert created["Tags"] == {"a": "b"}
    updated = await world.call("GetFunctionConfiguration", FunctionName="settled")
    assert (updated["LastUpdateStatus"], updated["Timeout"]) == ("Successful", 7)
    assert [each.spec.function_name for each in world.fleet.made if each.invocations] == ["settled"]
    await world.close()

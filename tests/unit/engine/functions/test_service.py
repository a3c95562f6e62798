import asyncio
import json
from pathlib import Path

import botocore.loaders
import pytest

from tests.fakes.executor import Gate
from tests.fakes.lambda_world import ARN, World
from understudy.engine.functions.model import FunctionId
from understudy.engine.functions.names import Target
from understudy.engine.protocol import ApiError

TARGET = Target(id=FunctionId(account_id="000000000000", region="us-east-1", name="dash"))


async def test_every_operation_is_one_of_lambda_s(tmp_path: Path) -> None:
    model = botocore.loaders.Loader().load_service_model("lambda", "service-2")
    world = World(tmp_path)
    assert set(world.service.operations) <= set(model["operations"])
    await world.close()


async def test_a_name_alone_means_the_default_place(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    outcome = await world.service.invoke("dash", b'{"a":1}', qualifier="$LATEST")
    assert json.loads(outcome.payload)["arn"] == f"{ARN}:$LATEST"
    assert outcome.status == 200
    await world.close()


async def test_an_arn_is_looked_up_in_its_own_account_and_region(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    with pytest.raises(ApiError, match="Function not found: arn:aws:lambda:eu-west-1:"):
        await world.service.invoke(ARN.replace("us-east-1", "eu-west-1"), b"{}")
    await world.close()


async def test_closing_leaves_no_environment(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    await world.service.invoke(ARN, b"{}")
    await world.close()
    assert world.fleet.alive == []
    assert world.service.environments == 0


async def test_closing_does_not_wait_for_what_is_streamed(tmp_path: Path) -> None:
    world = await World(tmp_path).start()
    await world.active()
    world.fleet.handler = gate = Gate()
    streaming = world.service.stream(TARGET, b"{}", request_id="r", trace_id="")
    await gate.wait_for(1)
    async with asyncio.timeout(60):
        await world.close()
    assert streaming.outcome.cancelled()
    assert [chunk async for chunk in streaming.stream] == []
    assert world.fleet.alive == []

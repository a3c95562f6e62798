from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.behind import Behind, RefusalError
from tests.fakes.lambda_world import ARN, World
from tests.unit.engine.functions.sources.mappings import QUEUE, STREAM, record
from understudy.engine.functions import LambdaConfig
from understudy.engine.functions.sources import PollTimes
from understudy.engine.protocol import ApiError, Receive, Scope, Send

_QUICK = LambdaConfig(poll_times=PollTimes(idle_s=0.0, wait_s=0, shards_s=0.01, trouble_s=0.0))


class Scene:
    """A function `dash` and one stream, which a mapping reads when it is made."""

    def __init__(self, root: Path, behind: Behind) -> None:
        self.behind = behind
        self.world = World(root, config=_QUICK, behind=behind)

    async def create(self, **params: Any) -> dict[str, Any]:
        base = {"FunctionName": "dash", "EventSourceArn": STREAM, "StartingPosition": "TRIM_HORIZON"}
        return await self.world.call("CreateEventSourceMapping", **{**base, **params})

    async def state(self, uuid: str) -> str:
        await self.world.service.settle()
        return str((await self.world.call("GetEventSourceMapping", UUID=uuid))["State"])


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(tmp_path, Behind([record(1)]))
    await made.world.start()
    await made.world.active()
    yield made
    await made.world.close()


async def refusal(scene: Scene, operation: str, **params: Any) -> str:
    with pytest.raises(ApiError) as caught:
        await scene.world.call(operation, **params)
    return caught.value.code


async def test_a_mapping_goes_through_its_states(scene: Scene) -> None:
    made = await scene.create()
    uuid = made["UUID"]
    assert (made["State"], made["LastProcessingResult"]) == ("Creating", "No records processed")
    assert await refusal(scene, "DeleteEventSourceMapping", UUID=uuid) == "ResourceInUseException"
    assert await scene.state(uuid) == "Enabled"
    changed = await scene.world.call("UpdateEventSourceMapping", UUID=uuid, BatchSize=7)
    assert (changed["State"], changed["BatchSize"]) == ("Updating", 7)
    assert await scene.state(uuid) == "Enabled"
    assert (await scene.world.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False))[
        "State"
    ] == "Disabling"
    assert await scene.state(uuid) == "Disabled"
    assert (await scene.world.call("DeleteEventSourceMapping", UUID=uuid))["State"] == "Deleting"
    await scene.world.service.settle()
    assert await refusal(scene, "GetEventSourceMapping", UUID=uuid) == "ResourceNotFoundException"


async def test_mappings_are_listed_by_function_and_by_source(scene: Scene) -> None:
    first = (await scene.create(Enabled=False))["UUID"]
    await scene.world.active(FunctionName="other")
    second = (await scene.create(FunctionName="other", Enabled=False))["UUID"]

    async def listed(**params: Any) -> set[str]:
        answer = await scene.world.call("ListEventSourceMappings", **params)
        return {item["UUID"] for item in answer["EventSourceMappings"]}

    assert await listed() == {first, second}
    assert await listed(EventSourceArn=STREAM) == {first, second}
    assert await listed(FunctionName="dash") == {first}
    assert await listed(FunctionName=f"{ARN}:live") == set()
    assert await listed(EventSourceArn=QUEUE) == set()


async def test_tags_that_come_while_a_mapping_is_being_made_stay(tmp_path: Path) -> None:
    class Tagging(Behind):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)
            if sum(what.endswith("GetRecords") for what, _ in self.requests) == 1:
                await scene.world.call("TagResource", Resource=made["EventSourceMappingArn"], Tags={"a": "b"})

    scene = Scene(tmp_path, Tagging([record(1)]))
    await scene.world.start()
    await scene.world.active()
    made = await scene.create(StartingPosition="LATEST")
    assert await scene.state(made["UUID"]) == "Enabled"
    assert await scene.world.call("ListTags", Resource=made["EventSourceMappingArn"]) == {"Tags": {"a": "b"}}
    await scene.world.close()


async def test_one_source_is_mapped_to_a_function_once(scene: Scene) -> None:
    await scene.create(Enabled=False)
    assert (
        await refusal(
            scene,
            "CreateEventSourceMapping",
            FunctionName="dash",
            EventSourceArn=STREAM,
            StartingPosition="LATEST",
        )
        == "ResourceConflictException"
    )


async def test_a_source_that_is_not_there_is_refused(scene: Scene) -> None:
    scene.behind.refusals.append(RefusalError("ResourceNotFoundException"))
    with pytest.raises(ApiError, match="Stream not found"):
        await scene.create()
    scene.behind.refusals.append(RefusalError("AWS.SimpleQueueService.NonExistentQueue"))
    with pytest.raises(ApiError, match=r"SQS Error Code: AWS\.SimpleQueueService\.NonExistentQueue"):
        await scene.create(EventSourceArn=QUEUE, StartingPosition=None)


async def test_a_change_that_the_engine_s_end_cut_off_is_taken_up_again(scene: Scene, tmp_path: Path) -> None:
    uuid = (await scene.create())["UUID"]
    await scene.world.close()
    second = await World(tmp_path, config=_QUICK, behind=scene.behind).start()
    await second.service.settle()
    assert (await second.call("GetEventSourceMapping", UUID=uuid))["State"] == "Enabled"
    await second.close()
    scene.world.state.open()


async def test_the_next_engine_reads_on_behind_the_last_batch(scene: Scene, tmp_path: Path) -> None:
    uuid = (await scene.create())["UUID"]
    await scene.state(uuid)
    await scene.behind.until(
        lambda: len(scene.world.fleet.made) == 1 and bool(scene.world.fleet.made[0].invocations)
    )
    await scene.world.close()
    scene.behind.stream.append(record(2))
    second = World(tmp_path, config=_QUICK, behind=scene.behind)
    seen: list[bytes] = []

    async def remember(_: object, request: Any) -> bytes:
        seen.append(request.payload)
        return b"null"

    second.fleet.handler = remember
    await second.start()
    await scene.behind.until(lambda: bool(seen))
    assert (b"item-1" in seen[0], b"item-2" in seen[0]) == (False, True)
    await second.close()
    scene.world.state.open()

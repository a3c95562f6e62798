from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.behind import Behind
from tests.fakes.lambda_world import ARN, World
from tests.unit.engine.functions.sources.mappings import STREAM
from understudy.engine.protocol import ApiError


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path, behind=Behind()).start()
    await made.active()
    yield made
    await made.close()


async def test_tags_come_and_go(world: World) -> None:
    await world.call("TagResource", Resource=ARN, Tags={"A": "1", "B": "2"})
    await world.call("TagResource", Resource=ARN, Tags={"B": "3"})
    assert await world.call("ListTags", Resource=ARN) == {"Tags": {"A": "1", "B": "3"}}
    await world.call("UntagResource", Resource=ARN, TagKeys=["A", "unknown"])
    assert (await world.call("GetFunction", FunctionName="dash"))["Tags"] == {"B": "3"}


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Resource": ARN, "Tags": {}}, "An error occurred and the request cannot be processed."),
        ({"Resource": f"{ARN}:live", "Tags": {"a": "b"}}, "Tags on function aliases and versions"),
        ({"Resource": "dash", "Tags": {"a": "b"}}, "Value 'dash' at 'resource' failed"),
        ({"Resource": f"{ARN}x", "Tags": {"a": "b"}}, f"Function not found: {ARN}x"),
        ({"Resource": ARN, "Tags": {str(n): "b" for n in range(51)}}, "Number of tags exceeds"),
    ],
)
async def test_refuses_tags(world: World, params: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        await world.call("TagResource", **params)
    assert text in caught.value.message


async def test_mappings_have_tags_from_their_creation_on(world: World) -> None:
    made = await world.call(
        "CreateEventSourceMapping",
        FunctionName="dash",
        EventSourceArn=STREAM,
        StartingPosition="LATEST",
        Enabled=False,
        Tags={"A": "1"},
    )
    arn = made["EventSourceMappingArn"]
    await world.call("TagResource", Resource=arn, Tags={"B": "2"})
    await world.call("UntagResource", Resource=arn, TagKeys=["A"])
    assert await world.call("ListTags", Resource=arn) == {"Tags": {"B": "2"}}
    with pytest.raises(ApiError, match="The resource you requested does not exist"):
        await world.call("ListTags", Resource=arn.replace("us-east-1", "eu-west-1"))

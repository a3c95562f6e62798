"""The warning about lifecycle policies, against a real engine; moto's versions name no digest of an image."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract import reconcile_servers
from tests.contract.reconcile_servers import World
from understudy.manifests.model import ResourceKey, Stack
from understudy.reconcile import retention

_KEEP_ONE = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with reconcile_servers.engine_process(tmp_path) as url:
        yield reconcile_servers.engine_world(url, tmp_path)


def keeping_one(stack: Stack) -> Stack:
    """The stack with a policy that keeps the newest image alone."""
    policy = json.dumps({"rules": [_KEEP_ONE]})
    changed = [
        replace(one, spec={**one.spec, "lifecyclePolicy": policy}) if one.key.kind == "Repository" else one
        for one in stack
    ]
    return replace(stack, resources=tuple(changed))


def test_the_next_push_is_told_to_take_the_image_of_the_live_version(world: World) -> None:
    first, second = (keeping_one(world.stack(digest)) for digest in world.images)
    assert retention.notices(world.aws, first, now=time.time()) == (), "there is nothing yet"
    found = world.apply(first).observed.get(ResourceKey("Alias", "dashboard-live"))
    assert found is not None
    world.calls.clear()

    assert retention.notices(world.aws, first, now=time.time()) == ()
    [told] = retention.notices(world.aws, second, now=time.time())

    assert (
        f"Repository dashboard would expire {world.images[0]}, which version 1 of dashboard (alias live)"
        in told
    )
    assert world.writes == []

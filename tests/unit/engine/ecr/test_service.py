"""The service as a whole: every operation is one of ECR's, and account-wide answers."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import REGISTRY, World, keep_last
from understudy.engine.ecr.service import EcrService
from understudy.engine.protocol import ApiError, codec


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.close()


def test_every_operation_is_in_ecrs_model(world: World) -> None:
    known = set(codec.load_model("ecr").operation_names)
    assert set(world.service.operations) <= known
    assert len(world.service.operations) == 33


def test_what_scans_is_left_out_rather_than_faked(world: World) -> None:
    assert "StartImageScan" not in world.service.operations


async def test_token_is_a_login_for_the_registry(world: World) -> None:
    [data] = (await world.call("GetAuthorizationToken"))["authorizationData"]
    user, password = base64.b64decode(data["authorizationToken"]).decode().split(":")
    assert (user, len(password) > 40) == ("AWS", True)
    assert data["proxyEndpoint"] == ("http://000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566")
    assert (data["expiresAt"].timestamp() - world.clock.now) == pytest.approx(12 * 3600, abs=2)


async def test_token_for_other_registries(world: World) -> None:
    answer = await world.call("GetAuthorizationToken", registryIds=["111111111111", "222222222222"])
    assert [each["proxyEndpoint"][7:19] for each in answer["authorizationData"]] == [
        "111111111111",
        "222222222222",
    ]


async def test_registry_settings_are_awss_defaults(world: World) -> None:
    assert await world.call("DescribeRegistry") == {
        "registryId": "000000000000",
        "replicationConfiguration": {"rules": []},
    }
    scanning = await world.call("GetRegistryScanningConfiguration")
    assert scanning["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
    with pytest.raises(ApiError, match="RegistryPolicyNotFoundException"):
        await world.call("GetRegistryPolicy")


class Hours:
    """A sleep that lasts until the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self.over.acquire()


async def test_rules_by_age_run_at_the_start_and_every_hour(world: World) -> None:
    policy = json.loads(keep_last(1))
    aged = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 2}
    policy["rules"][0]["selection"] |= aged
    repository = world.repository(lifecycle_policy=json.dumps(policy))
    hours = Hours()
    service = EcrService(world.repositories, world.uploads, sleep=hours)
    await world.push(repository, "v1")
    world.clock.now += 3 * 86400
    service.start()
    assert await hours.asked.get() == 3600
    assert world.repositories.images(repository) == []
    await world.push(repository, "v2")
    world.clock.now += 3 * 86400
    hours.over.release()
    await hours.asked.get()
    assert world.repositories.images(repository) == []
    await service.close()


async def test_a_policy_that_cannot_run_does_not_stop_the_clock(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.repository(lifecycle_policy="{}")
    hours = Hours()
    service = EcrService(world.repositories, world.uploads, sleep=hours)
    service.start()
    await hours.asked.get()
    hours.over.release()
    await hours.asked.get()
    await service.close()
    assert caplog.text.count("lifecycle rules did not run") == 2


async def test_closing_lets_go_of_uploads_which_can_go_on(world: World) -> None:
    repository = world.repository()
    upload_id = await world.uploads.start(repository)
    await world.service.close()
    assert await world.uploads.offset(world.repositories.get(REGISTRY, "app"), upload_id) == 0
    await world.service.close()

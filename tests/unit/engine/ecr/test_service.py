"""The service as a whole: every operation is one of ECR's, and account-wide answers."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.engine.ecr.fixtures import World
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

"""The same promises against moto server and against our engine, both real processes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import requests

from tests.contract import reconcile_servers as servers
from tests.contract.reconcile_servers import ROOT, World
from understudy.errors import EnvironmentProblemError
from understudy.manifests.model import ResourceKey
from understudy.reconcile import apply, observe, release, removal
from understudy.targets.local import LocalTarget


@pytest.fixture(scope="module")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.moto_process(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(params=["moto", "engine"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "moto":
        url = request.getfixturevalue("moto_url")
        requests.post(f"{url}/moto-api/reset", timeout=30).raise_for_status()
        yield servers.moto_world(url)
    else:
        with servers.engine_process(tmp_path) as url:
            yield servers.engine_world(url, tmp_path)


def alias_version(world: World) -> str:
    answer = world.call(world.aws.lambda_().get_alias, FunctionName="dashboard", Name="live")
    return str(answer["FunctionVersion"])


def digest_of(world: World, qualifier: str) -> str:
    answer = world.call(world.aws.lambda_().get_function, FunctionName="dashboard", Qualifier=qualifier)
    return str(answer["Code"]["ImageUri"]).partition("@")[2]


def counts(world: World) -> dict[str, int]:
    client = world.aws.apigatewayv2()
    apis = world.call(client.get_apis)["Items"]
    listed = world.call(world.aws.lambda_().list_versions_by_function, FunctionName="dashboard")
    return {
        "apis": len(apis),
        "integrations": len(world.call(client.get_integrations, ApiId=apis[0]["ApiId"])["Items"]),
        "routes": len(world.call(client.get_routes, ApiId=apis[0]["ApiId"])["Items"]),
        "stages": len(world.call(client.get_stages, ApiId=apis[0]["ApiId"])["Items"]),
        "versions": len(listed["Versions"]) - 1,
    }


ONE_OF_EACH = {"apis": 1, "integrations": 1, "routes": 1, "stages": 1, "versions": 1}


def test_second_apply_writes_nothing(world: World) -> None:
    first = world.apply(world.stack())
    assert {key.kind for key in first.writes} == {*world.kinds, "Image"}
    assert alias_version(world) == "1"
    assert digest_of(world, "live") == world.images[0]
    second = world.apply(world.stack())
    assert world.writes == []
    assert second.writes == ()
    assert counts(world) == ONE_OF_EACH


def test_changed_memory_is_one_update_and_a_new_version(world: World) -> None:
    world.apply(world.stack())
    world.apply(world.stack(memorySize=2048))
    assert world.writes == ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]
    assert alias_version(world) == "2"
    world.apply(world.stack(memorySize=2048))
    assert world.writes == []


def test_changed_digest_is_pushed_published_and_served(world: World) -> None:
    world.apply(world.stack())
    world.apply(world.stack(world.images[1]))
    assert [name for name in world.writes if name != "PutImage"] == [
        "UpdateFunctionCode",
        "PublishVersion",
        "UpdateAlias",
    ]
    assert alias_version(world) == "2"
    assert digest_of(world, "live") == world.images[1]
    if world.freezes_versions:
        assert digest_of(world, "1") == world.images[0]
    world.apply(world.stack(world.images[1]))
    assert world.writes == []


def test_both_at_once_are_one_version(world: World) -> None:
    world.apply(world.stack())
    world.apply(world.stack(world.images[1], memorySize=2048))
    assert counts(world)["versions"] == 2
    assert digest_of(world, "live") == world.images[1]


def test_drift_is_found_and_mended(world: World) -> None:
    world.apply(world.stack())
    world.call(world.aws.lambda_().update_function_configuration, FunctionName="dashboard", Timeout=5)
    world.call(world.aws.logs().put_retention_policy, logGroupName="/aws/lambda/dashboard", retentionInDays=1)
    changes = {action.key.kind: action.changes for action in world.plan(world.stack()).writes}
    assert [change.path for change in changes["Function"]] == ["timeout"]
    assert [change.path for change in changes["LogGroup"]] == ["retentionDays"]
    world.apply(world.stack())
    assert world.plan(world.stack()).writes == ()


@pytest.mark.parametrize("steps", [2, 5, 8])
def test_apply_that_was_killed_is_finished_by_the_next(world: World, tmp_path: Path, steps: int) -> None:
    kind = "moto" if "Table" in world.kinds else "engine"
    argv = [
        sys.executable,
        "-m",
        "tests.contract.reconcile_servers",
        world.url,
        kind,
        str(steps),
        str(tmp_path),
    ]
    died = subprocess.run(argv, cwd=ROOT, timeout=120, check=False)
    assert died.returncode == 9
    world.apply(world.stack())
    assert counts(world) == ONE_OF_EACH
    world.apply(world.stack())
    assert world.writes == []


def test_release_moves_code_version_and_alias_only(world: World) -> None:
    desired = world.stack()
    report = world.apply(desired)
    repository = report.observed.resources[ResourceKey("Repository", "dashboard")]
    uri = repository.status["repositoryURI"]
    [image] = world.stack(world.images[1]).images
    world.pusher.push(image, uri)
    [serves] = release.of_image(desired, "dashboard")
    world.calls.clear()
    done = release.release(world.aws, serves, f"{uri}@{world.images[1]}")
    assert world.writes == ["UpdateFunctionCode", "UpdateAlias"]
    assert (done.version, done.changed, alias_version(world)) == ("2", True, "2")
    world.calls.clear()
    again = release.release(world.aws, serves, f"{uri}@{world.images[1]}")
    assert (world.writes, again.changed) == ([], False)
    world.apply(world.stack(world.images[1]))
    assert world.writes == []


def test_deletion_keeps_data_unless_allowed(world: World) -> None:
    desired = world.stack()
    world.apply(desired)
    apply.apply(removal.deletion(desired, observe.observe(desired, world.aws)), world.aws)
    left = {key.kind for key in observe.observe(desired, world.aws).resources} - {"Image"}
    assert left == {"Repository", "Table", "Bucket"} & world.kinds
    observed = observe.observe(desired, world.aws)
    everything = removal.deletion(desired, observed, allowed=[one.key for one in desired])
    apply.apply(everything, world.aws)
    assert observe.observe(desired, world.aws).resources == {}


def test_plain_boto3_sees_what_was_applied(world: World) -> None:
    world.apply(world.stack())
    client = boto3.client(
        "lambda",
        endpoint_url=world.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    function = client.get_function_configuration(FunctionName="dashboard", Qualifier="live")
    assert (function["MemorySize"], function["Timeout"]) == (1769, 29)
    assert function["Environment"]["Variables"]["TICKERS_BUCKET"] == "dashboard-tickers"


def test_endpoint_that_is_down_is_told_at_once() -> None:
    with pytest.raises(EnvironmentProblemError, match="nothing answers"):
        LocalTarget(name="local", endpoint_url="http://127.0.0.1:9").guard()

"""Whose a resource is, against moto server and against our engine: prune and adopt read it from the tags."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.contract import reconcile_servers as servers
from tests.contract.reconcile_servers import World
from understudy.errors import UnderstudyError
from understudy.manifests import ownership
from understudy.manifests.model import ResourceKey, Stack
from understudy.reconcile import adoption, apply, observe, orphans, removal, scratch_versions

PROJECT = "dashboard"
GONE = frozenset({"Alias", "API", "Integration", "Route", "Stage", "Bucket", "Table"})
"""Kinds whose manifests go away while the resources are there."""


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


def without(stack: Stack, *kinds: str) -> Stack:
    return replace(stack, resources=tuple(one for one in stack if one.key.kind not in kinds))


def found(world: World, stack: Stack) -> dict[str, str]:
    """What prune would do."""
    listed = orphans.find(world.aws, observe.observe(stack, world.aws), PROJECT, only=world.kinds)
    return {str(one.key): one.verb for one in removal.pruning(listed).actions}


def test_prune_takes_what_lost_its_manifest_and_nothing_else(world: World) -> None:
    whole = world.stack()
    world.apply(whole)
    world.call(world.aws.logs().create_log_group, logGroupName="/somebody/else")
    world.call(world.aws.apigatewayv2().create_api, Name="dashboard", ProtocolType="HTTP")
    assert found(world, whole) == {}

    left = without(whole, *GONE)
    expected = {"Alias/dashboard:live": "delete", "API/dashboard": "delete"}
    kept = {"Bucket/dashboard-tickers": "retain", "Table/dashboard-configurations": "retain"}
    assert found(world, left) == {
        **expected,
        **{name: verb for name, verb in kept.items() if name.partition("/")[0] in world.kinds},
    }
    listed = orphans.find(world.aws, observe.observe(left, world.aws), PROJECT, only=world.kinds)
    apply.apply(removal.pruning(listed, allowed=[one.key for one in listed]), world.aws)
    assert found(world, left) == {}
    assert len(world.call(world.aws.apigatewayv2().get_apis)["Items"]) == 1
    groups = world.call(world.aws.logs().describe_log_groups)["logGroups"]
    assert {group["logGroupName"] for group in groups} == {"/aws/lambda/dashboard", "/somebody/else"}


def test_prune_takes_what_hangs_below_an_api_that_stays(world: World) -> None:
    whole = world.stack()
    world.apply(whole)
    left = without(whole, "Route", "Stage")
    assert set(found(world, left)) == {"Route/$default", "Stage/$default"}


def test_prune_takes_an_authorizer_that_guards_nothing_any_more(tmp_path: Path) -> None:
    # moto makes authorizers and cannot list them.
    with servers.engine_process(tmp_path) as url:
        world = servers.engine_world(url, tmp_path)
        world = replace(world, kinds=world.kinds | {"Authorizer"})
        whole = world.stack()
        world.apply(whole)
        [api] = world.call(world.aws.apigatewayv2().get_apis)["Items"]
        world.call(
            world.aws.apigatewayv2().create_authorizer,
            ApiId=api["ApiId"],
            Name="users",
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": "https://issuer.example", "Audience": ["a"]},
        )

        assert found(world, whole) == {"Authorizer/users": "delete"}
        listed = orphans.find(world.aws, observe.observe(whole, world.aws), PROJECT, only=world.kinds)
        apply.apply(removal.pruning(listed), world.aws)
        assert found(world, whole) == {}


def test_prune_takes_the_versions_that_a_killed_measurement_left_and_no_others(world: World) -> None:
    whole = world.stack()
    status = world.apply(whole).observed.resources[ResourceKey("Function", "dashboard")].status
    client = world.aws.lambda_()
    before = world.call(client.list_versions_by_function, FunctionName="dashboard")["Versions"]
    # What `held` would have put back at the end.
    scratch = scratch_versions.ScratchVersions(world.aws, "dashboard", status["codeSHA256"])
    numbers = [scratch.publish(nonce) for nonce in ("one", "two")]

    assert found(world, whole) == {f"Version/dashboard:{number}": "delete" for number in numbers}
    listed = orphans.find(world.aws, observe.observe(whole, world.aws), PROJECT, only=world.kinds)
    apply.apply(removal.pruning(listed), world.aws)
    assert found(world, whole) == {}
    left = world.call(client.list_versions_by_function, FunctionName="dashboard")["Versions"]
    assert [one["Version"] for one in left] == [one["Version"] for one in before]


def test_prune_takes_what_was_renamed(world: World) -> None:
    world.apply(world.stack())
    renamed = tuple(
        replace(one, spec={**one.spec, "name": "/aws/lambda/other"}) if one.key.kind == "LogGroup" else one
        for one in world.stack()
    )
    assert found(world, Stack(resources=renamed)) == {"LogGroup/dashboard": "delete"}


def test_what_lost_its_tag_is_foreign_until_it_is_adopted(world: World) -> None:
    whole = world.stack()
    key = ResourceKey("LogGroup", "dashboard")
    observed = world.apply(whole).observed.resources[key]
    arn = observed.status["arn"]
    world.call(world.aws.logs().untag_resource, resourceArn=arn, tagKeys=[ownership.STACK])
    world.call(world.aws.logs().tag_resource, resourceArn=arn, tags={"by": "hand"})

    planned = world.plan(whole)
    with pytest.raises(UnderstudyError, match="LogGroup/dashboard exists, and carries no tag of this stack"):
        adoption.check(planned)
    apply.apply(adoption.adoption(planned, [key]), world.aws)

    adopted = world.plan(whole)
    adoption.check(adopted)
    [action] = [one for one in adopted.actions if one.key == key]
    assert [change.path for change in action.changes] == ["tags.by"]

"""Repository operations: settings are kept, refusals are AWS's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.ecr.fixtures import World, keep_last
from understudy.engine.protocol import ApiError

ARN = "arn:aws:ecr:us-east-1:000000000000:repository/app"
POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.close()


async def refusal(world: World, operation: str, **params: Any) -> str:
    with pytest.raises(ApiError) as caught:
        await world.call(operation, **params)
    return caught.value.code


async def test_create_answers_what_was_asked_for(world: World) -> None:
    made = await world.call(
        "CreateRepository",
        repositoryName="app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest"}],
        imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "a", "Value": "b"}],
    )
    repository = made["repository"]
    assert repository.pop("createdAt").timestamp() == world.clock.now
    assert repository == {
        "repositoryArn": ARN,
        "registryId": "000000000000",
        "repositoryName": "app",
        "repositoryUri": "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566/app",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    assert (await world.call("ListTagsForResource", resourceArn=ARN))["tags"] == [{"Key": "a", "Value": "b"}]
    assert (
        await refusal(world, "CreateRepository", repositoryName="app") == "RepositoryAlreadyExistsException"
    )


async def test_describe_by_name_and_in_pages(world: World) -> None:
    for name in ("b", "c", "a"):
        world.repository(f"app-{name}")
    first = await world.call("DescribeRepositories", maxResults=2)
    rest = await world.call("DescribeRepositories", maxResults=2, nextToken=first["nextToken"])
    names = [each["repositoryName"] for each in first["repositories"] + rest["repositories"]]
    assert (names, "nextToken" in rest) == (["app-a", "app-b", "app-c"], False)
    [found] = (await world.call("DescribeRepositories", repositoryNames=["app-c"]))["repositories"]
    assert found["repositoryName"] == "app-c"
    assert (
        await refusal(world, "DescribeRepositories", repositoryNames=["x"]) == "RepositoryNotFoundException"
    )


async def test_another_account_sees_nothing(world: World) -> None:
    world.repository()
    answer = await world.call("DescribeRepositories", account="111111111111")
    assert answer["repositories"] == []
    answer = await world.call("DescribeRepositories", account="111111111111", registryId="000000000000")
    assert len(answer["repositories"]) == 1


async def test_delete(world: World) -> None:
    await world.push(world.repository(), "v1")
    assert await refusal(world, "DeleteRepository", repositoryName="app") == "RepositoryNotEmptyException"
    gone = await world.call("DeleteRepository", repositoryName="app", force=True)
    assert gone["repository"]["repositoryArn"] == ARN
    assert await refusal(world, "DeleteRepository", repositoryName="app") == "RepositoryNotFoundException"


async def test_scan_on_push_is_kept(world: World) -> None:
    world.repository()
    await world.call(
        "PutImageScanningConfiguration", repositoryName="app", imageScanningConfiguration={"scanOnPush": True}
    )
    answer = await world.call("BatchGetRepositoryScanningConfiguration", repositoryNames=["app", "none"])
    assert answer["scanningConfigurations"][0]["scanFrequency"] == "SCAN_ON_PUSH"
    assert answer["failures"][0]["failureCode"] == "REPOSITORY_NOT_FOUND"


async def test_mutability_and_its_exclusions_belong_together(world: World) -> None:
    world.repository()
    kept = await world.call("PutImageTagMutability", repositoryName="app", imageTagMutability="IMMUTABLE")
    assert kept["imageTagMutability"] == "IMMUTABLE"
    for extra in (
        {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {
            "imageTagMutability": "MUTABLE",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "x"}],
        },
    ):
        code = await refusal(world, "PutImageTagMutability", repositoryName="app", **extra)
        assert code == "InvalidParameterException"


async def test_repository_policy(world: World) -> None:
    world.repository()
    for operation in ("GetRepositoryPolicy", "DeleteRepositoryPolicy"):
        assert await refusal(world, operation, repositoryName="app") == "RepositoryPolicyNotFoundException"
    await world.call("SetRepositoryPolicy", repositoryName="app", policyText=POLICY)
    assert (await world.call("GetRepositoryPolicy", repositoryName="app"))["policyText"] == POLICY
    assert (await world.call("DeleteRepositoryPolicy", repositoryName="app"))["policyText"] == POLICY
    assert (
        await refusal(world, "GetRepositoryPolicy", repositoryName="app")
        == "RepositoryPolicyNotFoundException"
    )


@pytest.mark.parametrize(
    "text", ["", "x", "{}", '{"Statement": []}', '{"Statement": [{"Effect": "Maybe"}]}', '{"Statement": [1]}']
)
async def test_refuses_what_is_no_policy(world: World, text: str) -> None:
    world.repository()
    code = await refusal(world, "SetRepositoryPolicy", repositoryName="app", policyText=text)
    assert code == "InvalidParameterException"


async def test_lifecycle_policy_runs_when_it_is_put(world: World) -> None:
    repository = world.repository()
    for tag in "abc":
        await world.push(repository, tag)
    assert (
        await refusal(world, "GetLifecyclePolicy", repositoryName="app") == "LifecyclePolicyNotFoundException"
    )
    await world.call("PutLifecyclePolicy", repositoryName="app", lifecyclePolicyText=keep_last(1))
    assert [each.tags for each in world.repositories.images(repository)] == [("c",)]
    got = await world.call("GetLifecyclePolicy", repositoryName="app")
    assert got["lifecyclePolicyText"] == keep_last(1)
    assert got["lastEvaluatedAt"].timestamp() == world.clock.now
    await world.call("DeleteLifecyclePolicy", repositoryName="app")
    assert (
        await refusal(world, "DeleteLifecyclePolicy", repositoryName="app")
        == "LifecyclePolicyNotFoundException"
    )


async def test_a_policy_that_is_refused_changes_nothing(world: World) -> None:
    world.repository()
    code = await refusal(world, "PutLifecyclePolicy", repositoryName="app", lifecyclePolicyText="{}")
    assert code == "InvalidParameterException"
    assert (
        await refusal(world, "GetLifecyclePolicy", repositoryName="app") == "LifecyclePolicyNotFoundException"
    )


async def test_preview_shows_and_expires_nothing(world: World) -> None:
    repository = world.repository()
    old = await world.push(repository, "old")
    await world.push(repository, "new")
    get = "GetLifecyclePolicyPreview"
    assert await refusal(world, get, repositoryName="app") == "LifecyclePolicyPreviewNotFoundException"
    start = "StartLifecyclePolicyPreview"
    assert await refusal(world, start, repositoryName="app") == "LifecyclePolicyNotFoundException"
    started = await world.call(start, repositoryName="app", lifecyclePolicyText=keep_last(1))
    assert started["status"] == "IN_PROGRESS"
    answer = await world.call(get, repositoryName="app")
    [result] = answer["previewResults"]
    assert (result["imageDigest"], result["action"], result["appliedRulePriority"]) == (
        old,
        {"type": "EXPIRE"},
        1,
    )
    assert (answer["status"], answer["summary"]) == ("COMPLETE", {"expiringImageTotalCount": 1})
    assert (await world.call(get, repositoryName="app", filter={"tagStatus": "UNTAGGED"}))[
        "previewResults"
    ] == []
    found = await world.call(get, repositoryName="app", imageIds=[{"imageTag": "old"}])
    assert len(found["previewResults"]) == 1
    assert len(world.repositories.images(repository)) == 2


async def test_tags_are_added_replaced_removed_and_limited(world: World) -> None:
    world.repository()
    await world.call(
        "TagResource", resourceArn=ARN, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]
    )
    await world.call("TagResource", resourceArn=ARN, tags=[{"Key": "a", "Value": "2"}])
    await world.call("UntagResource", resourceArn=ARN, tagKeys=["b", "none"])
    assert (await world.call("ListTagsForResource", resourceArn=ARN))["tags"] == [{"Key": "a", "Value": "2"}]
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert await refusal(world, "TagResource", resourceArn=ARN, tags=many) == "TooManyTagsException"
    assert await refusal(world, "ListTagsForResource", resourceArn="x") == "InvalidParameterException"
    assert await refusal(world, "ListTagsForResource", resourceArn=ARN + "x") == "RepositoryNotFoundException"

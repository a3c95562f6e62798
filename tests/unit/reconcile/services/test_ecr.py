import json

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.reconcile.services import ecr

LIFECYCLE = {"rules": [{"rulePriority": 1, "description": "x" * 100}]}
RULES = json.dumps(LIFECYCLE, indent=2)
SPEC = {
    "name": "repo",
    "imageScanningConfiguration": {"scanOnPush": True},
    "lifecyclePolicy": RULES,
    "tags": [{"key": "a", "value": "b"}],
}
FOUND = {
    "repositories": [
        {
            "repositoryName": "repo",
            "repositoryArn": "arn:repo",
            "repositoryUri": "host/repo",
            "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
        }
    ]
}
ANSWERS = {
    "DescribeRepositories": FOUND,
    "GetLifecyclePolicy": {"lifecyclePolicyText": json.dumps(LIFECYCLE)},
    "ListTagsForResource": {"tags": [{"Key": "a", "Value": "b"}]},
}


def test_absent_repository_is_created_with_its_policies() -> None:
    fake = ScriptedAws({"DescribeRepositories": Refusal(code="RepositoryNotFoundException")})
    assert reconcile(fake.aws, desired("Repository/r", SPEC)) == "create"
    assert fake.writes == ["CreateRepository", "PutLifecyclePolicy"]
    assert fake.params("CreateRepository")["tags"] == [{"Key": "a", "Value": "b"}]


def test_equal_repository_is_left_alone() -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("Repository/r", SPEC)) == "unchanged"
    assert fake.writes == []


def test_policy_and_tags_are_read_only_when_the_manifest_mentions_them() -> None:
    fake = ScriptedAws(ANSWERS)
    found = ecr.RepositoryManager().observe(fake.aws, desired("Repository/r", {"name": "repo"}))
    assert [name for name, _ in fake.calls] == ["DescribeRepositories", "GetLifecyclePolicy"]
    assert found is not None
    assert found.status == {"arn": "arn:repo", "repositoryURI": "host/repo"}


def test_each_setting_has_its_own_write() -> None:
    spec = {
        **SPEC,
        "imageScanningConfiguration": {"scanOnPush": False},
        "imageTagMutability": "IMMUTABLE",
        "lifecyclePolicy": RULES.replace("x", "y"),
        "policy": "{}",
        "tags": [{"key": "c", "value": "d"}],
    }
    fake = ScriptedAws({**ANSWERS, "GetRepositoryPolicy": Refusal(code="RepositoryPolicyNotFoundException")})
    assert reconcile(fake.aws, desired("Repository/r", spec)) == "update"
    assert fake.writes == [
        "PutImageTagMutability",
        "PutImageScanningConfiguration",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
        "TagResource",
        "UntagResource",
    ]


def test_setting_that_was_left_out_goes_back_to_its_default() -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("Repository/r", {"name": "repo"})) == "update"
    assert fake.params("PutImageScanningConfiguration")["imageScanningConfiguration"] == {"scanOnPush": False}


def test_delete_takes_the_images_along() -> None:
    fake = ScriptedAws()
    ecr.RepositoryManager().delete(fake.aws, observed("Repository/r", {"name": "repo"}))
    assert fake.params("DeleteRepository") == {"repositoryName": "repo", "force": True}


def test_image_tags_tell_absent_from_untagged() -> None:
    details = [{"imageDetails": [{"imageTags": ["latest"]}]}, {"imageDetails": [{}]}]
    fake = ScriptedAws({"DescribeImages": [*details, Refusal(code="ImageNotFoundException")]})
    found = [ecr.image_tags(fake.aws, "repo", "sha256:x") for _ in range(3)]
    assert found == [("latest",), (), None]


@pytest.mark.parametrize(
    ("uri", "endpoint", "expected"),
    [
        ("1.dkr.ecr.us-east-1.amazonaws.com/repo", "http://localhost:4670", "localhost:4670/repo"),
        ("1.dkr.ecr.cn-north-1.amazonaws.com.cn/a/repo", "http://localhost:4670", "localhost:4670/a/repo"),
        ("1.dkr.ecr.us-east-1.amazonaws.com/repo", None, "1.dkr.ecr.us-east-1.amazonaws.com/repo"),
        (
            "1.dkr.ecr.us-east-1.amazonaws.com/repo",
            "https://vpce-1.api.ecr.us-east-1.vpce.amazonaws.com",
            "1.dkr.ecr.us-east-1.amazonaws.com/repo",
        ),
        (
            "1.dkr.ecr.us-east-1.localhost:4566/repo",
            "http://localhost:4566",
            "1.dkr.ecr.us-east-1.localhost:4566/repo",
        ),
    ],
    ids=[
        "emulator",
        "below a path, in China",
        "AWS",
        "AWS by an endpoint of a VPC",
        "emulator of its own name",
    ],
)
def test_registry_is_at_the_endpoint_of_an_emulator_that_names_aws(
    uri: str, endpoint: str | None, expected: str
) -> None:
    assert ecr.reachable_uri(uri, endpoint) == expected


def test_absent_repository_has_no_uri() -> None:
    fake = ScriptedAws({"DescribeRepositories": Refusal(code="RepositoryNotFoundException")})
    assert ecr.repository_uri(fake.aws, "repo") is None


PULL = {"Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow", "Action": "ecr:BatchGetImage"}
OURS = {"Sid": "ours", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken"}


def document(*statements: object) -> str:
    return json.dumps({"Version": "2008-10-17", "Statement": list(statements)})


def test_statement_that_lambda_adds_is_no_drift_and_is_kept() -> None:
    fake = ScriptedAws({**ANSWERS, "GetRepositoryPolicy": {"policyText": document(OURS, PULL)}})
    assert reconcile(fake.aws, desired("Repository/r", {**SPEC, "policy": document(OURS)})) == "unchanged"
    changed = document({**OURS, "Sid": "other"})
    assert reconcile(fake.aws, desired("Repository/r", {**SPEC, "policy": changed})) == "update"
    written = json.loads(fake.params("SetRepositoryPolicy")["policyText"])["Statement"]
    assert [statement["Sid"] for statement in written] == ["other", PULL["Sid"]]


def test_statement_that_the_manifest_says_itself_is_compared() -> None:
    fake = ScriptedAws({**ANSWERS, "GetRepositoryPolicy": {"policyText": document(PULL)}})
    assert reconcile(fake.aws, desired("Repository/r", {**SPEC, "policy": document(PULL)})) == "unchanged"


def test_policy_that_was_left_out_stays() -> None:
    fake = ScriptedAws({**ANSWERS, "GetRepositoryPolicy": {"policyText": document(PULL)}})
    assert reconcile(fake.aws, desired("Repository/r", SPEC)) == "unchanged"


def test_empty_policy_takes_the_policy_away() -> None:
    fake = ScriptedAws({**ANSWERS, "GetRepositoryPolicy": {"policyText": document(OURS)}})
    assert reconcile(fake.aws, desired("Repository/r", {**SPEC, "policy": ""})) == "update"
    assert fake.writes == ["DeleteRepositoryPolicy"]


def test_repository_whose_making_was_cut_short_is_finished() -> None:
    fake = ScriptedAws({**ANSWERS, "GetLifecyclePolicy": Refusal(code="LifecyclePolicyNotFoundException")})
    assert reconcile(fake.aws, desired("Repository/r", SPEC)) == "update"
    assert fake.writes == ["PutLifecyclePolicy"]

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.reconcile.services import iam

SPEC = {"name": "r", "assumeRolePolicyDocument": "{}", "inlinePolicies": {"p": '{"a": 1}'}}
ROLE = {
    "RoleName": "r",
    "Arn": "arn:r",
    "Path": "/",
    "AssumeRolePolicyDocument": "%7B%7D",
    "RoleId": "x" * 16,
}
ANSWERS = {
    "GetRole": {"Role": ROLE},
    "ListRolePolicies": {"PolicyNames": ["p"]},
    "GetRolePolicy": {"PolicyDocument": "%7B%22a%22%3A%201%7D"},
    "ListAttachedRolePolicies": {"AttachedPolicies": []},
    "ListRoleTags": {"Tags": [{"Key": "a", "Value": "b"}]},
}
MISSING = Refusal(code="NoSuchEntity", status=404)


def test_absent_role_is_created_with_its_policies() -> None:
    fake = ScriptedAws({"GetRole": MISSING})
    spec = {**SPEC, "policies": ["arn:aws:iam::aws:policy/ReadOnly"]}
    assert reconcile(fake.aws, desired("Role/r", spec)) == "create"
    assert fake.writes == ["CreateRole", "PutRolePolicy", "AttachRolePolicy"]


def test_equal_role_is_left_alone() -> None:
    fake = ScriptedAws(ANSWERS)
    assert (
        reconcile(fake.aws, desired("Role/r", {**SPEC, "tags": [{"key": "a", "value": "b"}]})) == "unchanged"
    )


def test_lists_of_policies_are_authoritative() -> None:
    attached = {"AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ByHand"}]}
    fake = ScriptedAws({**ANSWERS, "ListAttachedRolePolicies": attached})
    assert reconcile(fake.aws, desired("Role/r", {"name": "r", "assumeRolePolicyDocument": "{}"})) == "update"
    assert fake.writes == ["DeleteRolePolicy", "DetachRolePolicy"]


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({"description": "x"}, ["UpdateRole"]),
        ({"maxSessionDuration": 7200}, ["UpdateRole"]),
        ({"assumeRolePolicyDocument": '{"b": 1}'}, ["UpdateAssumeRolePolicy"]),
        ({"permissionsBoundary": "arn:aws:iam::aws:policy/B"}, ["PutRolePermissionsBoundary"]),
        ({"inlinePolicies": {"p": '{"a": 2}'}}, ["PutRolePolicy"]),
        ({"inlinePolicies": {"p": '{"a": 1}', "q": "{}"}}, ["PutRolePolicy"]),
        ({"tags": [{"key": "c", "value": "d"}]}, ["TagRole", "UntagRole"]),
    ],
)
def test_each_setting_has_its_own_write(change: dict[str, object], writes: list[str]) -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("Role/r", {**SPEC, **change})) == "update"  # type: ignore[dict-item]
    assert fake.writes == writes


def test_delete_takes_the_policies_first() -> None:
    fake = ScriptedAws()
    there = {"name": "r", "inlinePolicies": {"p": "{}"}, "policies": ["arn:aws:iam::aws:policy/A"]}
    iam.RoleManager().delete(fake.aws, observed("Role/r", there))
    assert fake.writes == ["DeleteRolePolicy", "DetachRolePolicy", "DeleteRole"]


POLICY = {"name": "p", "policyDocument": '{"a": 1}', "tags": [{"key": "a", "value": "b"}]}
POLICY_ARN = "arn:aws:iam::1:policy/p"
POLICY_ANSWERS = {
    "ListPolicies": {
        "Policies": [{"PolicyName": "x", "Arn": "a" * 20}, {"PolicyName": "p", "Arn": POLICY_ARN}]
    },
    "GetPolicy": {
        "Policy": {"PolicyName": "p", "DefaultVersionId": "v1", "Tags": [{"Key": "a", "Value": "b"}]}
    },
    "GetPolicyVersion": {"PolicyVersion": {"Document": "%7B%22a%22%3A%201%7D"}},
}


def test_policy_is_found_by_its_name() -> None:
    fake = ScriptedAws(POLICY_ANSWERS)
    assert reconcile(fake.aws, desired("Policy/p", POLICY)) == "unchanged"


def test_absent_policy_is_created() -> None:
    fake = ScriptedAws({"ListPolicies": {"Policies": []}})
    assert reconcile(fake.aws, desired("Policy/p", POLICY)) == "create"
    assert fake.writes == ["CreatePolicy"]


def test_changed_policy_makes_room_for_its_new_version() -> None:
    versions = [{"VersionId": f"v{n}", "IsDefaultVersion": n == 5} for n in (5, 4, 3, 2, 1)]
    fake = ScriptedAws({**POLICY_ANSWERS, "ListPolicyVersions": {"Versions": versions}})
    changed = {**POLICY, "policyDocument": "{}", "tags": [{"key": "c", "value": "d"}]}
    assert reconcile(fake.aws, desired("Policy/p", changed)) == "update"
    assert fake.writes == ["DeletePolicyVersion", "CreatePolicyVersion", "TagPolicy", "UntagPolicy"]
    assert fake.params("DeletePolicyVersion")["VersionId"] == "v1"


def test_delete_takes_the_versions_first() -> None:
    versions = [{"VersionId": "v2", "IsDefaultVersion": True}, {"VersionId": "v1", "IsDefaultVersion": False}]
    fake = ScriptedAws({"ListPolicyVersions": {"Versions": versions}})
    iam.PolicyManager().delete(fake.aws, observed("Policy/p", POLICY, arn=POLICY_ARN))
    assert fake.writes == ["DeletePolicyVersion", "DeletePolicy"]


def test_boundary_that_was_left_out_goes_away() -> None:
    boundary = {"PermissionsBoundaryArn": "arn:aws:iam::1:policy/B", "PermissionsBoundaryType": "Policy"}
    fake = ScriptedAws({**ANSWERS, "GetRole": {"Role": {**ROLE, "PermissionsBoundary": boundary}}})
    assert reconcile(fake.aws, desired("Role/r", SPEC)) == "update"
    assert fake.writes == ["DeleteRolePermissionsBoundary"]


def test_description_that_the_manifest_does_not_mention_stays() -> None:
    fake = ScriptedAws({**ANSWERS, "GetRole": {"Role": {**ROLE, "Description": "by hand"}}})
    assert reconcile(fake.aws, desired("Role/r", {**SPEC, "maxSessionDuration": 7200})) == "update"
    assert fake.params("UpdateRole") == {
        "RoleName": "r",
        "Description": "by hand",
        "MaxSessionDuration": 7200,
    }


def test_role_whose_making_was_cut_short_is_finished() -> None:
    fake = ScriptedAws({**ANSWERS, "ListRolePolicies": {"PolicyNames": []}})
    wanted = {**SPEC, "policies": ["arn:aws:iam::aws:policy/ReadOnly"]}
    assert reconcile(fake.aws, desired("Role/r", wanted)) == "update"
    assert fake.writes == ["PutRolePolicy", "AttachRolePolicy"]


def test_oldest_version_goes_by_its_number() -> None:
    versions = [{"VersionId": f"v{n}", "IsDefaultVersion": n == 9} for n in (9, 10, 11, 12, 13)]
    fake = ScriptedAws({**POLICY_ANSWERS, "ListPolicyVersions": {"Versions": versions}})
    assert reconcile(fake.aws, desired("Policy/p", {**POLICY, "policyDocument": "{}"})) == "update"
    assert fake.params("DeletePolicyVersion")["VersionId"] == "v10"


def test_tags_of_a_policy_are_asked_for_when_the_answer_lacks_them() -> None:
    bare = {"Policy": {"PolicyName": "p", "DefaultVersionId": "v1"}}
    listed = {"Tags": [{"Key": "a", "Value": "b"}]}
    fake = ScriptedAws({**POLICY_ANSWERS, "GetPolicy": bare, "ListPolicyTags": listed})
    assert reconcile(fake.aws, desired("Policy/p", POLICY)) == "unchanged"

from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.manifests.model import Json
from understudy.reconcile import logs

SPEC: dict[str, Json] = {"name": "/aws/lambda/f", "retentionDays": 14, "tags": {"a": "b"}}
GROUPS = [
    {"logGroupName": "/aws/lambda/f-other", "arn": "arn:other:*"},
    {
        "logGroupName": "/aws/lambda/f",
        "arn": "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:*",
        "retentionInDays": 14,
    },
]
ANSWERS = {"DescribeLogGroups": {"logGroups": GROUPS}, "ListTagsForResource": {"tags": {"a": "b"}}}


def test_absent_group_is_created_with_its_retention() -> None:
    fake = ScriptedAws({"DescribeLogGroups": {"logGroups": GROUPS[:1]}})
    assert reconcile(fake.aws, desired("LogGroup/l", SPEC)) == "create"
    assert fake.writes == ["CreateLogGroup", "PutRetentionPolicy"]


def test_equal_group_is_left_alone() -> None:
    assert reconcile(ScriptedAws(ANSWERS).aws, desired("LogGroup/l", SPEC)) == "unchanged"


def test_retention_that_was_left_out_is_for_ever() -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("LogGroup/l", {"name": "/aws/lambda/f"})) == "update"
    assert fake.writes == ["DeleteRetentionPolicy"]


def test_each_setting_has_its_own_write() -> None:
    fake = ScriptedAws(ANSWERS)
    spec: dict[str, Json] = {**SPEC, "retentionDays": 30, "kmsKeyID": "k", "tags": {"c": "d"}}
    assert reconcile(fake.aws, desired("LogGroup/l", spec)) == "update"
    assert fake.writes == ["PutRetentionPolicy", "AssociateKmsKey", "TagResource", "UntagResource"]
    assert fake.params("TagResource")["resourceArn"] == "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f"


def test_delete_names_the_group() -> None:
    fake = ScriptedAws()
    logs.LogGroupManager().delete(fake.aws, observed("LogGroup/l", SPEC))
    assert fake.params("DeleteLogGroup") == {"logGroupName": "/aws/lambda/f"}

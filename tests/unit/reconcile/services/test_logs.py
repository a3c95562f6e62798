from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.manifests.model import Json
from understudy.reconcile.services import logs

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


KEY = "arn:aws:kms:us-east-1:1:key/11-22"


def test_key_is_associated_and_taken_away() -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("LogGroup/l", {**SPEC, "kmsKeyID": KEY})) == "update"
    assert fake.params("AssociateKmsKey") == {"logGroupName": "/aws/lambda/f", "kmsKeyId": KEY}
    groups = {"DescribeLogGroups": {"logGroups": [{**GROUPS[1], "kmsKeyId": KEY}]}}
    keyed = ScriptedAws({**ANSWERS, **groups})
    assert reconcile(keyed.aws, desired("LogGroup/l", {**SPEC, "kmsKeyID": KEY})) == "unchanged"
    assert reconcile(keyed.aws, desired("LogGroup/l", SPEC)) == "update"
    assert keyed.params("DisassociateKmsKey") == {"logGroupName": "/aws/lambda/f"}


def test_subscriptions_are_authoritative_and_make_room_first() -> None:
    there = [
        {"filterName": name, "filterPattern": "x", "destinationArn": "arn:d", "distribution": "ByLogStream"}
        for name in ("kept", "gone")
    ]
    fake = ScriptedAws({**ANSWERS, "DescribeSubscriptionFilters": {"subscriptionFilters": there}})
    kept: Json = {"filterName": "kept", "filterPattern": "x", "destinationARN": "arn:d"}
    new: Json = {"filterName": "new", "filterPattern": "", "destinationARN": "arn:d"}
    wanted = desired("LogGroup/l", {**SPEC, "subscriptionFilters": [kept, new]})
    assert reconcile(fake.aws, wanted) == "update"
    assert fake.writes == ["DeleteSubscriptionFilter", "PutSubscriptionFilter"]
    assert fake.params("DeleteSubscriptionFilter")["filterName"] == "gone"
    assert fake.params("PutSubscriptionFilter")["filterName"] == "new"


def test_group_whose_making_was_cut_short_is_finished() -> None:
    bare = {"DescribeLogGroups": {"logGroups": [{**GROUPS[1], "retentionInDays": 0}]}}
    fake = ScriptedAws({**ANSWERS, **bare})
    new: Json = {"filterName": "new", "filterPattern": "", "destinationARN": "arn:d"}
    assert reconcile(fake.aws, desired("LogGroup/l", {**SPEC, "subscriptionFilters": [new]})) == "update"
    assert fake.writes == ["PutRetentionPolicy", "PutSubscriptionFilter"]

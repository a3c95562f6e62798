from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.manifests.model import Json
from understudy.reconcile.services import sns

ARN = "arn:aws:sns:us-east-1:000000000000:news"
SPEC: dict[str, Json] = {"name": "news", "displayName": "News", "tags": [{"key": "a", "value": "b"}]}
ANSWERS = {
    "GetCallerIdentity": {"Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"},
    "GetTopicAttributes": {"Attributes": {"TopicArn": ARN, "DisplayName": "News", "Policy": '{"a": 1}'}},
    "ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]},
}


def test_absent_topic_is_created_with_its_attributes_and_tags() -> None:
    fake = ScriptedAws({**ANSWERS, "GetTopicAttributes": Refusal(code="NotFound", status=404)})

    assert reconcile(fake.aws, desired("Topic/t", {**SPEC, "policy": '{"b":  2}'})) == "create"

    assert fake.params("CreateTopic") == {
        "Name": "news",
        "Attributes": {"DisplayName": "News", "Policy": '{"b":2}'},
        "Tags": [{"Key": "a", "Value": "b"}],
    }


def test_equal_topic_is_left_alone_and_its_own_policy_is_none_of_ours() -> None:
    fake = ScriptedAws(ANSWERS)

    assert reconcile(fake.aws, desired("Topic/t", SPEC)) == "unchanged"
    assert fake.params("GetTopicAttributes") == {"TopicArn": ARN}


def test_what_was_left_out_is_taken_away() -> None:
    fake = ScriptedAws(ANSWERS)

    assert reconcile(fake.aws, desired("Topic/t", {"name": "news"})) == "update"

    wanted = {"TopicArn": ARN, "AttributeName": "DisplayName", "AttributeValue": ""}
    assert fake.params("SetTopicAttributes") == wanted


def test_tags_have_writes_of_their_own() -> None:
    fake = ScriptedAws(ANSWERS)
    changed = {**SPEC, "tags": [{"key": "c", "value": "d"}]}

    assert reconcile(fake.aws, desired("Topic/t", changed)) == "update"

    assert fake.params("TagResource") == {"ResourceArn": ARN, "Tags": [{"Key": "c", "Value": "d"}]}
    assert fake.params("UntagResource") == {"ResourceArn": ARN, "TagKeys": ["a"]}


def test_a_topic_is_deleted_by_its_arn() -> None:
    fake = ScriptedAws(ANSWERS)

    sns.TopicManager().delete(fake.aws, observed("Topic/t", SPEC))

    assert fake.params("DeleteTopic") == {"TopicArn": ARN}

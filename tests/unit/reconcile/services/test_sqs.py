import json

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.services import sqs

URL = "https://sqs/1/work"
REDRIVE = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:dead", "maxReceiveCount": 3}
SPEC: dict[str, Json] = {"queueName": "work", "redrivePolicy": json.dumps(REDRIVE), "tags": {"a": "b"}}
ATTRIBUTES = {
    "QueueArn": "arn:aws:sqs:us-east-1:1:work",
    "DelaySeconds": "0",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "RedrivePolicy": json.dumps(REDRIVE, separators=(",", ":")),
}
ANSWERS = {
    "GetQueueUrl": {"QueueUrl": URL},
    "GetQueueAttributes": {"Attributes": ATTRIBUTES},
    "ListQueueTags": {"Tags": {"a": "b"}},
}


def test_absent_queue_is_created_with_its_attributes() -> None:
    fake = ScriptedAws({"GetQueueUrl": Refusal(code="AWS.SimpleQueueService.NonExistentQueue")})
    assert reconcile(fake.aws, desired("Queue/q", {**SPEC, "visibilityTimeout": "60"})) == "create"
    assert fake.params("CreateQueue") == {
        "QueueName": "work",
        "Attributes": {
            "DelaySeconds": "0",
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "0",
            "VisibilityTimeout": "60",
            "RedrivePolicy": ATTRIBUTES["RedrivePolicy"],
        },
        "tags": {"a": "b"},
    }


def test_equal_queue_is_left_alone_whatever_the_blanks_of_its_documents() -> None:
    assert reconcile(ScriptedAws(ANSWERS).aws, desired("Queue/q", SPEC)) == "unchanged"


def test_what_was_left_out_goes_back_to_its_default_or_away() -> None:
    changed = {**ATTRIBUTES, "VisibilityTimeout": "90"}
    seen = {**ATTRIBUTES, "RedrivePolicy": ""}
    answers = iter([{"Attributes": changed}, {"Attributes": seen}])
    fake = ScriptedAws({**ANSWERS, "GetQueueAttributes": lambda _: next(answers)})
    assert reconcile(fake.aws, desired("Queue/q", {"queueName": "work"})) == "update"
    wanted = {"VisibilityTimeout": "30", "RedrivePolicy": ""}
    assert fake.params("SetQueueAttributes") == {"QueueUrl": URL, "Attributes": wanted}


def test_tags_have_writes_of_their_own() -> None:
    fake = ScriptedAws(ANSWERS)
    assert reconcile(fake.aws, desired("Queue/q", {**SPEC, "tags": {"c": "d"}})) == "update"
    assert fake.params("TagQueue") == {"QueueUrl": URL, "Tags": {"c": "d"}}
    assert fake.params("UntagQueue") == {"QueueUrl": URL, "TagKeys": ["a"]}


def test_delete_waits_until_the_name_leads_nowhere() -> None:
    fake = ScriptedAws({"GetQueueUrl": [{"QueueUrl": URL}, Refusal(code="QueueDoesNotExist")]})
    sqs.QueueManager().delete(fake.aws, observed("Queue/q", SPEC, queueURL=URL))
    assert fake.params("DeleteQueue") == {"QueueUrl": URL}


def test_a_document_that_is_none_is_refused_before_it_is_sent() -> None:
    fake = ScriptedAws({"GetQueueUrl": Refusal(code="QueueDoesNotExist")})
    with pytest.raises(UnderstudyError, match="redrivePolicy of a queue is no JSON"):
        reconcile(fake.aws, desired("Queue/q", {"queueName": "work", "redrivePolicy": "{"}))

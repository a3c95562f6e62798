"""Queues of SQS.

Everything but name and tags is an attribute, and every attribute is a text. SQS says that a change may take a
minute to be seen everywhere, and takes no second queue of a name that was deleted less than a minute ago.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from understudy.errors import UnderstudyError
from understudy.manifests import kinds
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import clock, tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource

_ATTRIBUTES: Mapping[str, str] = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyID": "KmsMasterKeyId",
    "maximumMessageSize": "MaximumMessageSize",
    "messageRetentionPeriod": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveMessageWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSSEEnabled": "SqsManagedSseEnabled",
    "visibilityTimeout": "VisibilityTimeout",
}
_SEEN_WITHIN_S = 120.0
_DOCUMENTS = kinds.KINDS["Queue"].documents


class QueueManager(ResourceManager):
    """Kind Queue, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset({"queueName", "tags", *_ATTRIBUTES})
    immutable: ClassVar[frozenset[str]] = frozenset({"fifoQueue"})
    defaults: ClassVar[JsonMap] = {
        "delaySeconds": "0",
        "messageRetentionPeriod": "345600",
        "policy": None,
        "receiveMessageWaitTimeSeconds": "0",
        "redriveAllowPolicy": None,
        "redrivePolicy": None,
        "visibilityTimeout": "30",
    }
    holds_data: ClassVar[bool] = True

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The queue with all its attributes, and its tags where the manifest mentions them."""
        name = text(desired.spec, "queueName")
        found = aws.find(aws.sqs().get_queue_url, QueueName=name)
        if found is None:
            return None
        url = found["QueueUrl"]
        attributes = _attributes(aws, url)
        if attributes is None:
            return None
        spec: dict[str, Json] = {"queueName": name}
        for field, attribute in _ATTRIBUTES.items():
            if attributes.get(attribute):
                spec[field] = attributes[attribute]
        if "tags" in desired.spec:
            spec["tags"] = dict(aws.call(aws.sqs().list_queue_tags, QueueUrl=url).get("Tags", {}))
        status = {"arn": attributes["QueueArn"], "queueURL": url}
        return ObservedResource(key=desired.key, spec=spec, status=status)

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the queue."""
        more: dict[str, Any] = {"tags": desired.spec["tags"]} if desired.spec.get("tags") else {}
        name = text(desired.spec, "queueName")
        aws.call(
            aws.sqs().create_queue, QueueName=name, Attributes=_written(desired.spec, _ATTRIBUTES), **more
        )

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed and waits until it is read back."""
        fields, url = touched(changes), observed.status["queueURL"]
        changed = fields & _ATTRIBUTES.keys()
        if changed:
            # An empty text takes an attribute away.
            gone = {_ATTRIBUTES[field]: "" for field in changed if desired.spec.get(field) is None}
            defaults = {_ATTRIBUTES[field]: text(self.defaults, field) for field in changed}
            attributes: dict[str, Any] = {
                **gone,
                **{name: value for name, value in defaults.items() if name in gone and value},
                **_written(desired.spec, changed),
            }
            aws.call(aws.sqs().set_queue_attributes, QueueUrl=url, Attributes=attributes)
            self._seen(aws, url, attributes)
        if "tags" in fields:
            delta = tags.delta(desired.spec.get("tags"), observed.spec.get("tags"))
            if delta.put:
                aws.call(aws.sqs().tag_queue, QueueUrl=url, Tags=dict(delta.put))
            if delta.remove:
                aws.call(aws.sqs().untag_queue, QueueUrl=url, TagKeys=list(delta.remove))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the queue with its messages and waits until it is gone."""
        client, name = aws.sqs(), text(observed.spec, "queueName")
        aws.find(client.delete_queue, QueueUrl=observed.status["queueURL"])
        clock.until(
            lambda: True if aws.find(client.get_queue_url, QueueName=name) is None else None,
            what=f"deletion of queue {name}",
            clock=aws.clock,
        )

    @staticmethod
    def _seen(aws: Aws, url: str, wanted: Mapping[str, str]) -> None:
        def probe() -> bool | None:
            found = _attributes(aws, url) or {}
            same = all(_same(found.get(name, ""), value) for name, value in wanted.items())
            return True if same else None

        clock.until(probe, what=f"the new attributes of {url}", clock=aws.clock, budget_s=_SEEN_WITHIN_S)


def _attributes(aws: Aws, url: str) -> Mapping[str, str] | None:
    answer = aws.find(aws.sqs().get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
    return {str(name): value for name, value in answer.get("Attributes", {}).items()} if answer else None


def _written(spec: JsonMap, fields: Iterable[str]) -> dict[str, Any]:
    """Attributes as SQS takes them: a document without the blanks that a manifest may have."""
    made: dict[str, Any] = {}
    for field in fields:
        value = text(spec, field)
        if value:
            made[_ATTRIBUTES[field]] = _document(field, value) if field in _DOCUMENTS else value
    return made


def _document(field: str, value: str) -> str:
    try:
        return json.dumps(json.loads(value), separators=(",", ":"))
    except ValueError as exc:
        raise UnderstudyError(
            "queue-document",
            f"{field} of a queue is no JSON: {exc}",
            hint=f"correct spec.{field} of the Queue",
        ) from exc


def _same(found: str, wanted: str) -> bool:
    if found == wanted:
        return True
    try:
        return bool(json.loads(found) == json.loads(wanted))
    except ValueError:
        return False

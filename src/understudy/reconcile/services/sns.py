"""Topics of SNS.

Everything but name and tags is an attribute, and every attribute is a text that is set by a call of its own.
A topic has no call that looks it up by name: its ARN is made of the account, the region and the name.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from understudy.manifests import kinds
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile import tags
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import ResourceManager, text, touched
from understudy.reconcile.model import Change, ObservedResource

_ATTRIBUTES: Mapping[str, str] = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyID": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_DOCUMENTS = kinds.KINDS["Topic"].documents


class TopicManager(ResourceManager):
    """Kind Topic, found by its name."""

    supported: ClassVar[frozenset[str]] = frozenset({"name", "tags", *_ATTRIBUTES})
    refused: ClassVar[Mapping[str, str]] = {
        "dataProtectionPolicy": "data protection has calls of its own, which nothing here makes"
    }
    immutable: ClassVar[frozenset[str]] = frozenset({"fifoTopic"})
    # SNS gives every topic a policy, so one that a manifest leaves out is not compared.
    defaults: ClassVar[JsonMap] = {"displayName": None, "kmsMasterKeyID": None}

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The topic with all its attributes, and its tags where the manifest mentions them."""
        name = text(desired.spec, "name")
        arn = _arn(aws, name)
        found = aws.find(aws.sns().get_topic_attributes, TopicArn=arn)
        if found is None:
            return None
        attributes = found["Attributes"]
        spec: dict[str, Json] = {"name": name}
        for field, attribute in _ATTRIBUTES.items():
            if attributes.get(attribute):
                spec[field] = attributes[attribute]
        if "tags" in desired.spec:
            answer = aws.call(aws.sns().list_tags_for_resource, ResourceArn=arn)
            spec["tags"] = [{"key": one["Key"], "value": one["Value"]} for one in answer.get("Tags", [])]
        return ObservedResource(key=desired.key, spec=spec, status={"arn": arn})

    def create(self, aws: Aws, desired: DesiredResource) -> None:
        """Creates the topic."""
        given = tags.delta(desired.spec.get("tags"), None).put
        more: dict[str, Any] = {"Tags": tags.pairs(given)} if given else {}
        attributes = dict(_written(desired.spec, _ATTRIBUTES))
        aws.call(aws.sns().create_topic, Name=text(desired.spec, "name"), Attributes=attributes, **more)

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Writes what changed; an empty text takes an attribute away."""
        fields, arn = touched(changes), observed.status["arn"]
        changed = sorted(fields & _ATTRIBUTES.keys())
        written = {_ATTRIBUTES[field]: "" for field in changed} | dict(_written(desired.spec, changed))
        for name, value in written.items():
            aws.call(aws.sns().set_topic_attributes, TopicArn=arn, AttributeName=name, AttributeValue=value)
        if "tags" in fields:
            delta = tags.delta(desired.spec.get("tags"), observed.spec.get("tags"))
            if delta.put:
                aws.call(aws.sns().tag_resource, ResourceArn=arn, Tags=tags.pairs(delta.put))
            if delta.remove:
                aws.call(aws.sns().untag_resource, ResourceArn=arn, TagKeys=list(delta.remove))

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Deletes the topic with its subscriptions."""
        aws.find(aws.sns().delete_topic, TopicArn=_arn(aws, text(observed.spec, "name")))


def _arn(aws: Aws, name: str) -> str:
    account, caller = aws.caller()
    return f"arn:{caller.split(':')[1]}:sns:{aws.access.region}:{account}:{name}"


def _written(spec: JsonMap, fields: Iterable[str]) -> list[tuple[str, str]]:
    """Attributes as SNS takes them: a document without the blanks that a manifest may have."""
    found = []
    for field in fields:
        value = text(spec, field)
        if value and field in _DOCUMENTS:
            value = json.dumps(json.loads(value), separators=(",", ":"))
        if value:
            found.append((_ATTRIBUTES[field], value))
    return found

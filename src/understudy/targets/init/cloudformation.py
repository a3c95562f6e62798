"""Tables, buckets, queues and topics of a CloudFormation template as resources of manifests; pure.

What a resource says and a manifest is not given here is told by its property's name, never dropped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.manifests.model import Json, JsonMap
from understudy.targets.init import names, resources
from understudy.targets.init.intrinsics import Named, Values
from understudy.targets.init.model import Note, ResourceInput

_SIMPLE_TYPES = {"String": "S", "Number": "N", "Binary": "B"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    """How a type of CloudFormation becomes a kind.

    Attributes:
        kind: of the manifests.
        name: property that holds its name.
        attributes: attributes of ``!GetAtt`` and the fields that they are.
        ref: field that ``!Ref`` is.
        spec: makes its spec from its properties; says what it left out.
    """

    kind: str
    name: str
    attributes: Mapping[str, str]
    spec: Callable[[str, str, Mapping[str, Any]], tuple[JsonMap, list[str]]]
    ref: str = "name"


def named(project: str, template: Mapping[str, Any]) -> dict[str, Named]:
    """What the resources of a template are called in manifests, by logical id; unknown types have no name."""
    found = {}
    for logical, resource in template.items():
        known = _TYPES.get(str(resource.get("Type")))
        if known is not None:
            handle = _handle(project, logical)
            fields = {
                attribute: f"${{{known.kind}.{handle}.{field}}}"
                for attribute, field in known.attributes.items()
            }
            found[logical] = Named(ref=f"${{{known.kind}.{handle}.{known.ref}}}", attributes=fields)
    return found


def convert(
    project: str, logical: str, resource: Mapping[str, Any], values: Values
) -> tuple[ResourceInput, list[Note]] | None:
    """The resource of a manifest, and what of it is not carried; None for a type that has no kind.

    Raises:
        UnresolvedError: a property depends on what only CloudFormation knows.
    """
    known = _TYPES.get(str(resource.get("Type")))
    if known is None:
        return None
    handle = _handle(project, logical)
    properties = values.resolve(resource.get("Properties") or {})
    spec, missing = known.spec(str(properties.get(known.name) or handle), project, properties)
    notes = [Note(subject=logical, text=f"{name} is not carried") for name in missing]
    return ResourceInput(kind=known.kind, name=handle, spec=spec), notes


def _handle(project: str, logical: str) -> str:
    word = names.slug(logical)
    return word if word.startswith(f"{project}-") else names.slug(f"{project}-{word}")


def _lowered(value: object) -> Json:
    """CloudFormation's names as ACK's, where they differ in their first letter alone."""
    if isinstance(value, Mapping):
        return {f"{str(key)[0].lower()}{str(key)[1:]}": _lowered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return value  # type: ignore[return-value] # scalars of YAML


def _table(name: str, project: str, properties: Mapping[str, Any]) -> tuple[JsonMap, list[str]]:
    spec: dict[str, Json] = {**resources.table(name, (), project), "billingMode": "PROVISIONED"}
    missing = []
    for key, value in properties.items():
        match key:
            case "TableName" | "Tags":
                pass
            case (
                "AttributeDefinitions"
                | "KeySchema"
                | "BillingMode"
                | "ProvisionedThroughput"
                | "GlobalSecondaryIndexes"
                | "LocalSecondaryIndexes"
                | "DeletionProtectionEnabled"
            ):
                spec[f"{key[0].lower()}{key[1:]}"] = _lowered(value)
            case "StreamSpecification":
                spec["streamSpecification"] = {"streamEnabled": True, **_map(_lowered(value))}
            case "TimeToLiveSpecification":
                spec["timeToLive"] = _lowered(value)
            case "PointInTimeRecoverySpecification":
                spec["continuousBackups"] = _lowered(value)
            case "SSESpecification":
                spec["sseSpecification"] = {"enabled": bool(value.get("SSEEnabled"))}
            case _:
                missing.append(key)
    return spec, missing


def _map(value: Json) -> dict[str, Json]:
    return dict(value) if isinstance(value, Mapping) else {}


def _simple_table(name: str, project: str, properties: Mapping[str, Any]) -> tuple[JsonMap, list[str]]:
    key = properties.get("PrimaryKey") or {}
    attribute, kind = str(key.get("Name", "id")), _SIMPLE_TYPES[str(key.get("Type", "String"))]
    spec: dict[str, Json] = {
        **resources.table(name, (), project),
        "attributeDefinitions": [{"attributeName": attribute, "attributeType": kind}],
        "keySchema": [{"attributeName": attribute, "keyType": "HASH"}],
    }
    return spec, sorted(set(properties) - {"PrimaryKey", "TableName", "Tags"})


def _bucket(name: str, project: str, properties: Mapping[str, Any]) -> tuple[JsonMap, list[str]]:
    spec = dict(resources.bucket(name.lower(), project))
    if "VersioningConfiguration" in properties:
        spec["versioning"] = _lowered(properties["VersioningConfiguration"])
    # Private and encrypted is what the manifest says anyway.
    said = {
        "BucketName",
        "VersioningConfiguration",
        "PublicAccessBlockConfiguration",
        "BucketEncryption",
        "Tags",
    }
    return spec, sorted(set(properties) - said)


def _queue(name: str, project: str, properties: Mapping[str, Any]) -> tuple[JsonMap, list[str]]:
    attributes = {
        "DelaySeconds",
        "MessageRetentionPeriod",
        "VisibilityTimeout",
        "ReceiveMessageWaitTimeSeconds",
    }
    own = {f"{key[0].lower()}{key[1:]}": str(properties[key]) for key in sorted(attributes & set(properties))}
    missing = set(properties) - attributes - {"QueueName", "FifoQueue", "Tags"}
    return {**resources.queue(name, project), **own}, sorted(missing)


def _topic(name: str, project: str, properties: Mapping[str, Any]) -> tuple[JsonMap, list[str]]:
    own: JsonMap = {"displayName": str(properties["DisplayName"])} if "DisplayName" in properties else {}
    missing = set(properties) - {"TopicName", "FifoTopic", "DisplayName", "Tags"}
    return {**resources.topic(name, project), **own}, sorted(missing)


_TABLE_ATTRIBUTES = {"Arn": "arn", "StreamArn": "latestStreamARN"}
_TYPES: Mapping[str, _Type] = {
    "AWS::DynamoDB::Table": _Type(kind="Table", name="TableName", attributes=_TABLE_ATTRIBUTES, spec=_table),
    "AWS::Serverless::SimpleTable": _Type(
        kind="Table", name="TableName", attributes=_TABLE_ATTRIBUTES, spec=_simple_table
    ),
    "AWS::S3::Bucket": _Type(kind="Bucket", name="BucketName", attributes={"Arn": "arn"}, spec=_bucket),
    "AWS::SQS::Queue": _Type(
        kind="Queue",
        name="QueueName",
        attributes={"Arn": "arn", "QueueName": "name", "QueueUrl": "queueURL"},
        spec=_queue,
        ref="queueURL",
    ),
    "AWS::SNS::Topic": _Type(
        kind="Topic",
        name="TopicName",
        attributes={"TopicArn": "arn", "TopicName": "name"},
        spec=_topic,
        ref="arn",
    ),
}

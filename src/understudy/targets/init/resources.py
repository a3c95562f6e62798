"""Tables, buckets, queues and topics that a service's code names, as resources of the manifests; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.manifests.model import JsonMap
from understudy.targets.init import names, usage
from understudy.targets.init.keys import Key
from understudy.targets.init.model import Note, ResourceInput
from understudy.targets.init.usage import Used

_ARNS = {
    "Table": "arn:${{partition}}:dynamodb:${{region}}:${{account}}:table/{name}",
    "Bucket": "arn:${{partition}}:s3:::{name}",
    "Queue": "arn:${{partition}}:sqs:${{region}}:${{account}}:{name}",
    "Topic": "arn:${{partition}}:sns:${{region}}:${{account}}:{name}",
    "Secret": "arn:${{partition}}:secretsmanager:${{region}}:${{account}}:secret:{name}-??????",
}
# How the code is told of a resource: the field of its manifest.
_FIELDS = {"Table": "name", "Bucket": "name", "Queue": "queueURL", "Topic": "arn"}
_ENDINGS = ("table", "bucket", "queue", "topic", "secret", "name", "url", "arn", "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of something that the code names.

    Attributes:
        subject: how messages and policies call it.
        service: of boto3.
        arn: for policies.
        variable: the environment variable that carries it; empty when the code holds its name itself.
        text: that variable's value.
        resource: None when no manifest could be written.
    """

    subject: str
    service: str
    arn: str
    variable: str
    text: str
    resource: ResourceInput | None
    notes: tuple[Note, ...] = ()


def make(project: str, used: Used, keys: Sequence[Key], stated: Mapping[str, Sequence[str]]) -> Made:
    """The resource for what the code uses, named after the variable or the constant that it uses.

    Args:
        project: name of the service.
        used: what the code uses.
        keys: primary key that the code states.
        stated: primary keys that the user states, by the table's name; they win.
    """
    service = usage.SERVICES[used.kind]
    constant = used.value.constant.rpartition("/")[2].rpartition(":")[2]
    word = names.without(used.value.variable or constant, *_ENDINGS)
    handle = names.slug(f"{project}-{word}" if word and word != project else f"{project}-{used.kind}")
    name = constant or handle
    keys = [Key(name=key, type="S") for key in stated.get(name, ())] or keys
    spec = _spec(used.kind, name, keys, project)
    if spec is None:
        why = _missing(used, name)
        arn = _ARNS[used.kind].format(name=name)
        return Made(
            subject=handle,
            service=service,
            arn=arn,
            variable=used.value.variable,
            text=name,
            resource=None,
            notes=(Note(subject=name, text=f"{used.kind} of {used.where}: {why}"),),
        )
    key = ", ".join(f"{one.name} ({one.type})" for one in keys)
    told = (Note(subject=name, text=f"primary key of the table: {key}"),) if used.kind == "Table" else ()
    return Made(
        subject=handle,
        service=service,
        arn=names.arn(used.kind, handle),
        variable=used.value.variable,
        text=f"${{{used.kind}.{handle}.{_FIELDS[used.kind]}}}",
        resource=ResourceInput(kind=used.kind, name=handle, spec=spec),
        notes=told,
    )


def table(name: str, keys: Sequence[Key], project: str) -> JsonMap:
    """A table with a primary key, paid per request."""
    return {
        "tableName": name,
        "attributeDefinitions": [{"attributeName": key.name, "attributeType": key.type} for key in keys],
        "keySchema": [
            {"attributeName": key.name, "keyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        "billingMode": "PAY_PER_REQUEST",
        "tags": [{"key": "application", "value": project}],
    }


def bucket(name: str, project: str) -> JsonMap:
    """A private, encrypted bucket."""
    return {
        "name": name,
        "publicAccessBlock": {
            "blockPublicACLs": True,
            "blockPublicPolicy": True,
            "ignorePublicACLs": True,
            "restrictPublicBuckets": True,
        },
        "encryption": {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        "tagging": {"tagSet": [{"key": "application", "value": project}]},
    }


def queue(name: str, project: str) -> JsonMap:
    """A queue as SQS makes it; the name of a FIFO queue says that it is one."""
    fifo: JsonMap = {"fifoQueue": "true"} if name.endswith(".fifo") else {}
    return {"queueName": name, **fifo, "tags": {"application": project}}


def topic(name: str, project: str) -> JsonMap:
    """A topic as SNS makes it; the name of a FIFO topic says that it is one."""
    fifo: JsonMap = {"fifoTopic": "true"} if name.endswith(".fifo") else {}
    return {"name": name, **fifo, "tags": [{"key": "application", "value": project}]}


def _spec(kind: str, name: str, keys: Sequence[Key], project: str) -> JsonMap | None:
    """The spec; None where the manifests have no such kind, or nobody knows a table's key."""
    if kind == "Table":
        return table(name, keys, project) if keys else None
    if kind == "Bucket":
        return bucket(name, project)
    if kind == "Queue":
        return queue(name, project)
    return topic(name, project) if kind == "Topic" else None


def _missing(used: Used, name: str) -> str:
    if used.kind == "Table":
        return (
            "its primary key is in no Key={...} and no KeySchema of the code, so no table was written; run "
            f"again with --table {name}=PARTITION_KEY or --table {name}=PARTITION_KEY,SORT_KEY"
        )
    return (
        f"no manifest has this kind yet; create it in an init hook: awslocal, or boto3 with the name {name}"
    )

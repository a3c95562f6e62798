"""IAM actions for the operations that code calls; pure but for botocore's models.

Names from AWS's Service Authorization Reference; where an action is not called as its operation is, the table
below says so.
"""

from collections.abc import Iterable, Mapping

from botocore import xform_name

from understudy.manifests import models
from understudy.targets.init.model import Statement
from understudy.targets.init.names import sid

# Operation, or method of boto3's resources and transfers, to actions. An empty list: needs no permission.
_OTHERWISE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "dynamodb": {
        "batch_writer": ("BatchWriteItem",),
        "transact_write_items": ("ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"),
        "transact_get_items": ("GetItem",),
        "execute_statement": ("PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"),
        "table_exists": ("DescribeTable",),
    },
    "s3": {
        "head_object": ("GetObject",),
        "head_bucket": ("ListBucket",),
        "list_objects": ("ListBucket",),
        "list_objects_v2": ("ListBucket",),
        "copy_object": ("GetObject", "PutObject"),
        "delete_objects": ("DeleteObject",),
        "create_multipart_upload": ("PutObject",),
        "upload_part": ("PutObject",),
        "complete_multipart_upload": ("PutObject",),
        "upload_file": ("PutObject",),
        "upload_fileobj": ("PutObject",),
        "download_file": ("GetObject",),
        "download_fileobj": ("GetObject",),
        "generate_presigned_post": ("PutObject",),
        "list_buckets": ("ListAllMyBuckets",),
    },
    "sqs": {
        "send_message_batch": ("SendMessage",),
        "delete_message_batch": ("DeleteMessage",),
        "change_message_visibility_batch": ("ChangeMessageVisibility",),
    },
    "sns": {"publish_batch": ("Publish",)},
    "lambda": {"invoke": ("InvokeFunction",)},
    "sts": {"get_caller_identity": ()},
}
# What a service is used for where the code calls it in a way that cannot be read.
USUAL: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
    "s3": ("DeleteObject", "GetObject", "ListBucket", "PutObject"),
    "sqs": ("GetQueueUrl", "SendMessage"),
    "sns": ("Publish",),
    "secretsmanager": ("GetSecretValue",),
}
_OF_BUCKETS = frozenset(
    {"ListBucket", "GetBucketLocation", "ListBucketVersions", "ListBucketMultipartUploads"}
)
# Not a permission on one resource of the service.
_OF_ACCOUNT = frozenset({"ListAllMyBuckets", "ListTables", "ListQueues", "ListTopics", "ListSecrets"})


def called(service: str, methods: Iterable[str]) -> tuple[str, ...]:
    """The actions, without their prefix, that calling `methods` on `service` needs."""
    try:
        operations = {xform_name(name): name for name in models.load(service).document["operations"]}
    except LookupError:
        return ()
    otherwise = _OTHERWISE.get(service, {})
    found: set[str] = set()
    for method in methods:
        if method in otherwise:
            found.update(otherwise[method])
        elif method in operations:
            found.add(operations[method])
    return tuple(sorted(found))


def prefix(service: str) -> str:
    """What a service's actions begin with: mostly the name that it signs with."""
    try:
        metadata = models.load(service).document["metadata"]
    except LookupError:
        return service
    return str(metadata.get("signingName") or metadata["endpointPrefix"])


def statements(subject: str, service: str, names: Iterable[str], *arns: str) -> list[Statement]:
    """The statements that allow these actions on resources; S3 tells a bucket from what is in it."""
    wanted = sorted(set(names) - _OF_ACCOUNT)
    if service != "s3":
        return _statement(sid(subject), service, wanted, arns)
    outer = [name for name in wanted if name in _OF_BUCKETS]
    inner = [name for name in wanted if name not in _OF_BUCKETS]
    return [
        *_statement(sid(subject), service, outer, arns),
        *_statement(f"{sid(subject)}Objects", service, inner, tuple(f"{arn}/*" for arn in arns)),
    ]


def _statement(name: str, service: str, wanted: list[str], arns: tuple[str, ...]) -> list[Statement]:
    start = prefix(service)
    given = tuple(f"{start}:{action}" for action in wanted)
    return [Statement(sid=name, actions=given, resources=arns)] if given else []

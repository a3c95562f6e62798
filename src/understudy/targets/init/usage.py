"""What of AWS the code of a service uses: which services, which operations, which tables and buckets; pure.

A method counts as an operation where one of the services that the code makes clients of has one of that
name, in botocore's spelling: `put_item` is DynamoDB's PutItem once there is a client of DynamoDB.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from understudy.targets.init import keys
from understudy.targets.init.keys import Key
from understudy.targets.init.modules import Code
from understudy.targets.init.variables import Names, Value
from understudy.verify.python.constants import dotted, text

_SDKS = frozenset({"boto3", "botocore", "aioboto3", "aiobotocore", "aws_lambda_powertools"})
_MAKERS = frozenset({"client", "resource", "create_client"})
# Keyword of a call, or constructor of a resource, to the kind that it names.
_KEYWORDS = {
    "TableName": "Table",
    "Bucket": "Bucket",
    "QueueUrl": "Queue",
    "QueueName": "Queue",
    "TopicArn": "Topic",
    "SecretId": "Secret",
}
_RESOURCES = {"Table": "Table", "Bucket": "Bucket", "Queue": "Queue", "Topic": "Topic"}
_RESOURCE_METHODS = {"create_table": "Table", "get_queue_by_name": "Queue"}
# Place of the bucket among the arguments of boto3's transfer methods.
_TRANSFERS = {"upload_file": 1, "upload_fileobj": 1, "download_file": 0, "download_fileobj": 0}
SERVICES = {"Table": "dynamodb", "Bucket": "s3", "Queue": "sqs", "Topic": "sns", "Secret": "secretsmanager"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A resource of AWS that the code names.

    Attributes:
        kind: ``Table``, ``Bucket``, ``Queue``, ``Topic`` or ``Secret``.
        value: the variable or constant with its name; empty when that is not to be known.
        where: ``path:line``.
    """

    kind: str
    value: Value
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What of AWS is used.

    Attributes:
        services: names of the services, as boto3 says them.
        methods: every method name that is called on anything.
        used: resources that the code names.
        indexes: names of indexes that are asked.
        keys: primary keys that the code writes or creates, by the table's value; one without a known table
            stands below the empty value.
    """

    services: frozenset[str]
    methods: frozenset[str]
    used: tuple[Used, ...]
    indexes: frozenset[str] = frozenset()
    keys: Mapping[Value, tuple[Key, ...]] = field(default_factory=dict)


def find(codes: Sequence[Code], names: Names) -> Usage:
    """What `codes` use of AWS."""
    with_sdk = [code for code in codes if _imports_sdk(code.tree)]
    services = {name for code in with_sdk for name in _clients(code.tree)}
    used = {one.value: one for code in codes for one in _named(code, names) if SERVICES[one.kind] in services}
    return Usage(
        services=frozenset(services),
        methods=frozenset(_methods(codes)),
        used=tuple(used.values()),
        indexes=frozenset(_indexes(codes, names)),
        keys=keys.find(codes, names) if "dynamodb" in services else {},
    )


def _imports_sdk(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(one.name.partition(".")[0] in _SDKS for one in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _SDKS:
            return True
    return False


def _clients(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _MAKERS | {"Session"}:
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "service_name")]
            yield from (name for one in given if (name := text(one)))
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MAKERS
        ):
            # `boto3.Session().client("s3")`: what it is called on is no plain name.
            yield from (name for one in node.args[:1] if (name := text(one)))


def _methods(codes: Sequence[Code]) -> Iterator[str]:
    for code in codes:
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr
                # `get_paginator("list_objects_v2")`, `generate_presigned_url("get_object")`
                first = text(node.args[0]) if node.args else None
                if first and node.func.attr in ("get_paginator", "generate_presigned_url", "get_waiter"):
                    yield first


def _indexes(codes: Sequence[Code], names: Names) -> Iterator[str]:
    for code in codes:
        for node in ast.walk(code.tree):
            if isinstance(node, ast.keyword) and node.arg == "IndexName":
                yield names.value(node.value).constant or "of an unknown name"


def _named(code: Code, names: Names) -> Iterator[Used]:
    for node in ast.walk(code.tree):
        if isinstance(node, ast.Call):
            for kind, expression in _mentions(node):
                where = f"{code.path}:{node.lineno}"
                yield Used(kind=kind, value=names.value(expression), where=where)


def _mentions(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    for word in node.keywords:
        if word.arg in _KEYWORDS:
            yield _KEYWORDS[word.arg], word.value
    if not isinstance(node.func, ast.Attribute):
        return
    method = node.func.attr
    kind = _RESOURCES.get(method) or _RESOURCE_METHODS.get(method)
    if kind and node.args:
        yield kind, node.args[0]
    place = _TRANSFERS.get(method)
    # On a resource these methods have no bucket among their arguments: two there, three on a client.
    if place is not None and len(node.args) > 2:
        yield "Bucket", node.args[place]

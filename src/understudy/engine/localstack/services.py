"""The services by LocalStack's names: those that are here, those that are not, and what ``SERVICES`` means.

Names, dependencies and composites are those of ``localstack/utils/bootstrap.py`` in localstack-core 4.14.0.
Pure.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from understudy.engine.protocol import HttpResponse

DELEGATED = frozenset(
    (
        *("acm", "cloudformation", "cloudwatch", "cognito-idp", "dynamodb", "dynamodbstreams", "events"),
        *("firehose", "iam", "kinesis", "kms", "route53", "s3", "scheduler", "secretsmanager", "ses", "sns"),
        *("sqs", "ssm", "stepfunctions", "sts"),
    )
)
"""Services that the delegate answers."""

OWNED = frozenset(("apigateway", "ecr", "lambda", "logs"))
"""Services that the engine answers itself; API Gateway's two versions are one name, as in LocalStack."""

_DEPENDENCIES = {
    "dynamodb": ("dynamodbstreams",),
    "dynamodbstreams": ("kinesis",),
    "cloudformation": ("s3", "sts"),
    "lambda": ("s3", "sts"),
    "firehose": ("kinesis",),
    "secretsmanager": ("kms", "lambda"),
    "ssm": ("secretsmanager",),
}
_COMPOSITES = {
    "serverless": ("cloudformation", "cloudwatch", "iam", "sts", "lambda", "dynamodb", "apigateway", "s3"),
    "cognito": ("cognito-idp",),
}
# Signing names, and our own names, that differ from LocalStack's names of services.
_ALIASES = {
    "apigatewayv2": "apigateway",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "email": "ses",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a list of services stands for.

    Attributes:
        unknown: what was listed and is not here.
    """

    names: frozenset[str]
    unknown: tuple[str, ...]


def canonical(name: str) -> str:
    """Returns LocalStack's name of a service that a signature or our own table names."""
    return _ALIASES.get(name, name)


def resolve(names: Iterable[str]) -> Resolved:
    """Returns the services that a list enables: composites spelled out, dependencies added."""
    todo = [canonical(name) for name in names]
    found: set[str] = set()
    unknown: list[str] = []
    while todo:
        name = todo.pop()
        if name in _COMPOSITES:
            todo += _COMPOSITES[name]
        elif name not in DELEGATED | OWNED:
            unknown.append(name)
        elif name not in found:
            found.add(name)
            todo += _DEPENDENCIES.get(name, ())
    return Resolved(names=frozenset(found), unknown=tuple(sorted(unknown)))


def disabled(name: str, content_type: bytes) -> HttpResponse:
    """Returns how a service that ``SERVICES`` leaves out refuses a request, in LocalStack's words.

    Args:
        name: of the service, as a signature has it.
        content_type: of the request, which tells the protocols in XML from those in JSON.
    """
    text = f"Service '{canonical(name)}' is not enabled. Please check your 'SERVICES' configuration variable."
    if name in ("s3", "route53") or content_type.startswith(b"application/x-www-form-urlencoded"):
        error = f"<Error><Code>InternalFailure</Code><Message>{text}</Message></Error>"
        body = error if name == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        return HttpResponse(status=501, headers=((b"content-type", b"text/xml"),), body=body.encode())
    return HttpResponse(
        status=501,
        headers=(
            (b"content-type", b"application/json"),
            (b"x-amzn-errortype", b"InternalFailure"),
        ),
        body=json.dumps({"__type": "InternalFailure", "message": text}).encode(),
    )

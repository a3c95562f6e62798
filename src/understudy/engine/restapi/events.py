"""The event of a Lambda proxy integration of a REST API, payload 1.0; pure.

Held to events recorded on AWS (LocalStack's test_lambda_aws_proxy_integration): paths and path variables stay
percent-encoded, query values are decoded, empty maps are null, and there is no ``version``.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.engine.executeapi import access_log, forwarding, http
from understudy.engine.executeapi.http import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What the gateway knows of a request beyond the request itself.

    Attributes:
        resource: the path of the resource that answers, such as ``/{proxy+}``; None where none does.
        iam: who signed the request: ``accessKey``, ``accountId``, ``callerId``, ``userArn``, ``userId``.
        authorizer: what an authorizer hands on: ``claims``, or ``principalId`` and a function's context.
    """

    account_id: str
    api_id: str
    deployment_id: str
    stage: str
    domain: str
    resource_id: str | None
    resource: str | None
    path_parameters: Mapping[str, str]
    stage_variables: Mapping[str, str]
    request_id: str
    extended_request_id: str
    epoch_s: float
    trace_id: str
    iam: Mapping[str, Any]
    authorizer: Mapping[str, Any] = field(default_factory=dict)


def context(request: HttpRequest, routed: Routed) -> dict[str, Any]:
    """Returns ``requestContext``, which holds the ``$context`` variables too."""
    iam = routed.iam
    return {
        "accountId": routed.account_id,
        "apiId": routed.api_id,
        **({"authorizer": dict(routed.authorizer)} if routed.authorizer else {}),
        "deploymentId": routed.deployment_id,
        "domainName": routed.domain,
        "domainPrefix": routed.domain.partition(".")[0],
        "extendedRequestId": routed.extended_request_id,
        "httpMethod": request.method,
        "identity": {
            "accessKey": iam.get("accessKey"),
            "accountId": iam.get("accountId"),
            "caller": iam.get("callerId"),
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": request.source_ip,
            "user": iam.get("userId"),
            "userAgent": http.header(request, "user-agent"),
            "userArn": iam.get("userArn"),
        },
        "path": f"/{routed.stage}{request.path}",
        "protocol": request.protocol,
        "requestId": routed.request_id,
        "requestTime": access_log.clf_time(int(routed.epoch_s)),
        "requestTimeEpoch": int(routed.epoch_s * 1000),
        "resourceId": routed.resource_id,
        "resourcePath": routed.resource,
        "stage": routed.stage,
    }


def variables(request: HttpRequest, routed: Routed) -> dict[str, object]:
    """Returns the ``$context`` variables by their path, for access logs."""
    known = context(request, routed)
    for name in ("identity", "authorizer"):
        known |= _flat(name, known.pop(name, {}))
    return known


def _flat(prefix: str, values: Mapping[str, Any]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= _flat(f"{prefix}.{name}", value) if isinstance(value, dict) else {f"{prefix}.{name}": value}
    return flat


def event(request: HttpRequest, routed: Routed, *, binary: bool) -> dict[str, Any]:
    """Returns the function's event; a `binary` body goes as base64."""
    pairs = forwarding.headers(request, domain=routed.domain, trace_id=routed.trace_id)
    many = forwarding.titled([pair for pair in pairs if pair[0] != "content-length"])
    query = forwarding.query(request.query)
    body, encoded = _body(request.body, binary=binary)
    return {
        "resource": routed.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(routed.path_parameters) or None,
        "stageVariables": dict(routed.stage_variables) or None,
        "requestContext": context(request, routed),
        "body": body,
        "isBase64Encoded": encoded,
    }


def _body(body: bytes, *, binary: bool) -> tuple[str | None, bool]:
    if not body:
        return None, False
    if binary:
        return base64.b64encode(body).decode(), True
    return body.decode("utf-8", "replace"), False

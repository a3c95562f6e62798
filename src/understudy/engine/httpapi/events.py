"""HTTP request to Lambda event and Lambda answer to HTTP response, payload formats 2.0 and 1.0; pure.

Sources: API Gateway developer guide, "Working with AWS Lambda proxy integrations for HTTP APIs"
(http-api-develop-integrations-lambda). The path is URL-decoded, and a body is passed as text only for
``text/*`` and application/json, xml and javascript (recorded on AWS in hotsock/voker#8 and
ministackorg/ministack#766).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi import access_log, forwarding, http
from understudy.engine.executeapi.http import HttpRequest, HttpResponse

_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
_HOP_HEADERS = frozenset(
    {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"content-length"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What the gateway knows of a request beyond the request itself.

    Attributes:
        authorizer: what let the request pass, as payload 2.0 shows it: ``jwt``, ``lambda`` or ``iam``.
    """

    account_id: str
    api_id: str
    stage: str
    domain: str
    route_key: str
    path_parameters: Mapping[str, str]
    stage_variables: Mapping[str, str]
    request_id: str
    epoch_s: float
    trace_id: str
    authorizer: Mapping[str, Any] | None = None


class MalformedResponseError(ValueError):
    """The function's answer is no proxy response; the gateway answers 500."""


def event_v2(request: HttpRequest, routed: Routed) -> dict[str, Any]:
    """Returns the event of payload format 2.0."""
    headers, cookies = _headers_v2(request, routed)
    path = _stage_path(request.path, routed.stage)
    body, encoded = _body(request.body, headers.get("content-type", ""))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": routed.route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": routed.account_id,
            "apiId": routed.api_id,
            "domainName": routed.domain,
            "domainPrefix": routed.domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": routed.request_id,
            "routeKey": routed.route_key,
            "stage": routed.stage,
            "time": access_log.clf_time(int(routed.epoch_s)),
            "timeEpoch": int(routed.epoch_s * 1000),
        },
        "isBase64Encoded": encoded,
    }
    if routed.authorizer is not None:
        event["requestContext"]["authorizer"] = dict(routed.authorizer)
    if cookies:
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = {
            name: ",".join(values) for name, values in forwarding.query(request.query).items()
        }
    if routed.path_parameters:
        event["pathParameters"] = dict(routed.path_parameters)
    if routed.stage_variables:
        event["stageVariables"] = dict(routed.stage_variables)
    if body is not None:
        event["body"] = body
    return event


def event_v1(request: HttpRequest, routed: Routed) -> dict[str, Any]:
    """Returns the event of payload format 1.0."""
    iam = (routed.authorizer or {}).get("iam", {})
    many = forwarding.titled(_forwarded(request, routed))
    query = forwarding.query(request.query)
    path = _stage_path(request.path, routed.stage)
    resource = routed.route_key.partition(" ")[2] or routed.route_key
    body, encoded = _body(request.body, (many.get("Content-Type") or [""])[-1])
    return {
        "version": "1.0",
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "accountId": routed.account_id,
            "apiId": routed.api_id,
            "authorizer": _authorizer_v1(routed.authorizer or {}),
            "domainName": routed.domain,
            "domainPrefix": routed.domain.partition(".")[0],
            "extendedRequestId": routed.request_id,
            "httpMethod": request.method,
            "identity": {
                "accessKey": iam.get("accessKey"),
                "accountId": iam.get("accountId"),
                "caller": iam.get("callerId"),
                "cognitoAmr": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": request.source_ip,
                "user": iam.get("userId"),
                "userAgent": (many.get("User-Agent") or [""])[-1],
                "userArn": iam.get("userArn"),
            },
            "path": path,
            "protocol": request.protocol,
            "requestId": routed.request_id,
            "requestTime": access_log.clf_time(int(routed.epoch_s)),
            "requestTimeEpoch": int(routed.epoch_s * 1000),
            "resourceId": routed.route_key,
            "resourcePath": resource,
            "stage": routed.stage,
        },
        "pathParameters": dict(routed.path_parameters) or None,
        "stageVariables": dict(routed.stage_variables) or None,
        "body": body,
        "isBase64Encoded": encoded,
    }


def _authorizer_v1(authorizer: Mapping[str, Any]) -> dict[str, Any]:
    """What let the request pass as payload 1.0 shows it: without the kind of the authorizer."""
    nobody = {"claims": None, "scopes": None}
    return dict(authorizer.get("jwt") or authorizer.get("lambda") or nobody)


def parse_response(
    payload: bytes, payload_version: str, content_type: bytes = b"text/plain;charset=utf-8"
) -> HttpResponse:
    """Returns the HTTP response that a function's answer stands for.

    Format 2.0 turns an answer without ``statusCode`` into a 200 with that answer as JSON body, except one
    that holds ``errorMessage``: AWS takes it for an error of the runtime (recorded on AWS in LocalStack's
    test_aws_proxy_response_payload_format_validation_v2). It has no ``multiValueHeaders``, and format 1.0 has
    no ``cookies``.

    Args:
        payload: the function's answer.
        payload_version: ``2.0`` or ``1.0``.
        content_type: of an answer with ``statusCode`` that names none.

    Raises:
        MalformedResponseError: the answer cannot be a response of that format.
    """
    try:
        answer = json.loads(payload.decode())
    except ValueError as exc:
        raise MalformedResponseError("the function's answer is not JSON") from exc
    if not isinstance(answer, dict) or "statusCode" not in answer:
        if payload_version == "1.0":
            raise MalformedResponseError("a payload 1.0 answer needs statusCode")
        if isinstance(answer, dict) and "errorMessage" in answer:
            raise MalformedResponseError("the function's answer is an error document")
        text = answer if isinstance(answer, str) else None
        body = payload if text is None else text.encode()
        return HttpResponse(status=200, headers=[(b"content-type", b"application/json")], body=body)
    return HttpResponse(
        status=_status(answer["statusCode"]),
        headers=_response_headers(answer, payload_version, content_type),
        body=_response_body(answer),
    )


def _status(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        raise MalformedResponseError("statusCode is no number")
    try:
        status = int(value)
    except ValueError as exc:
        raise MalformedResponseError("statusCode is no number") from exc
    if not 100 <= status <= 599:
        raise MalformedResponseError("statusCode is no HTTP status")
    return status


def _response_headers(
    answer: Mapping[str, Any], payload_version: str, content_type: bytes
) -> list[tuple[bytes, bytes]]:
    single = answer.get("headers") or {}
    many = (answer.get("multiValueHeaders") or {}) if payload_version == "1.0" else {}
    cookies = (answer.get("cookies") or []) if payload_version == "2.0" else []
    if not isinstance(single, dict) or not isinstance(many, dict) or not isinstance(cookies, list):
        raise MalformedResponseError("headers, multiValueHeaders or cookies have the wrong type")
    headers = [_header(name, value) for name, value in single.items() if name not in many]
    for name, values in many.items():
        if not isinstance(values, list):
            raise MalformedResponseError("multiValueHeaders holds something that is no list")
        headers += [_header(name, value) for value in values]
    headers += [_header("set-cookie", cookie) for cookie in cookies]
    names = {name for name, _ in headers}
    if not _HOP_HEADERS.isdisjoint(names):
        headers = [pair for pair in headers if pair[0] not in _HOP_HEADERS]
    if b"content-type" not in names:
        headers.append((b"content-type", content_type))
    return headers


def _header(name: str, value: object) -> tuple[bytes, bytes]:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise MalformedResponseError("a header value is neither text nor number")
    return http.pair(name, str(value))


def _response_body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponseError("body is no string")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MalformedResponseError("body is not base64 as isBase64Encoded says") from exc


def _forwarded(request: HttpRequest, routed: Routed) -> list[tuple[str, str]]:
    return forwarding.headers(request, domain=routed.domain, trace_id=routed.trace_id)


def _headers_v2(request: HttpRequest, routed: Routed) -> tuple[dict[str, str], list[str]]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in _forwarded(request, routed):
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        elif name in headers:
            headers[name] += "," + value
        else:
            headers[name] = value
    return headers, cookies


def _stage_path(path: str, stage: str) -> str:
    return path if stage == "$default" else f"/{stage}{path}"


def _body(body: bytes, content_type: str) -> tuple[str | None, bool]:
    if not body:
        return None, False
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True

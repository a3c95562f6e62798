"""One synchronous invocation of a function, with the tail of its log."""

import base64
import json
from dataclasses import dataclass

from understudy.reconcile.aws import Aws


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What came back.

    Attributes:
        payload: the function's answer, or AWS's error document.
        function_error: ``Unhandled`` or ``Handled`` when the function failed; empty otherwise.
        version: version that ran.
        log_tail: last 4 KB of the log, START to REPORT.
        request_id: as the log names it.
    """

    payload: bytes
    function_error: str
    version: str
    log_tail: str
    request_id: str = ""


def invoke(aws: Aws, function: str, payload: bytes) -> Invocation:
    """Returns the outcome of invoking `function`, written ``NAME`` or ``NAME:QUALIFIER``.

    Raises:
        AwsError: there is no such function, or the call was refused.
    """
    answer = aws.call(aws.lambda_().invoke, FunctionName=function, Payload=payload, LogType="Tail")
    return Invocation(
        payload=answer["Payload"].read(),
        function_error=answer.get("FunctionError", ""),
        version=answer.get("ExecutedVersion", ""),
        log_tail=base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
        request_id=answer.get("ResponseMetadata", {}).get("RequestId", ""),
    )


def http_event(path: str) -> bytes:
    """Returns the event that an HTTP API (payload 2.0) sends for ``GET path``."""
    raw_path, _, query = path.partition("?")
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {"host": "localhost", "user-agent": "understudy"},
        "requestContext": {
            "http": {
                "method": "GET",
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "understudy",
            },
            "requestId": "understudy-invoke",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    return json.dumps(event).encode()


def rest_event(path: str, stage: str) -> bytes:
    """Returns the event that a REST API sends for ``GET path`` of a stage, by a resource ``/{proxy+}``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    headers = {"Host": "localhost", "User-Agent": "understudy"}
    event = {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "path": f"/{stage}{path}",
            "httpMethod": "GET",
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "understudy"},
            "requestId": "understudy-invoke",
            "stage": stage,
        },
        "body": None,
        "isBase64Encoded": False,
    }
    return json.dumps(event).encode()

"""Synthetic events: payload 2.0 requests, the plain event, and what of an OpenAPI document to ask for; pure.

Only parameterless GETs are sent: they are what a browser or a health check would ask anyway. The format is
the API Gateway developer guide's, "Working with AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from understudy.verify.boot.model import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

HEALTH_PATHS = ("/health", "/healthz", "/health/", "/healthcheck", "/ping", "/live", "/status", "/")
# A GET that ends a session or hangs by design is not what a proof should ask.
_LEFT_ALONE = ("logout", "signout", "shutdown", "stream", "events", "sse")
_HOST = "understudy.execute-api.us-east-1.amazonaws.com"
_TIME_MS = 1_700_000_000_000


def plain() -> Event:
    """The empty event."""
    return Event(name="{}", kind="plain", payload=b"{}")


def get(path: str) -> Event:
    """A payload 2.0 event for ``GET path``."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-length": "0",
            "host": _HOST,
            "user-agent": "understudy-verify",
            "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "understudy",
            "domainName": _HOST,
            "domainPrefix": "understudy",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "understudy-verify",
            },
            "requestId": "understudy",
            "routeKey": "$default",
            "stage": "$default",
            "time": "14/Nov/2023:22:13:20 +0000",
            "timeEpoch": _TIME_MS,
        },
        "isBase64Encoded": False,
    }
    return Event(name=f"GET {path}", kind="web", payload=json.dumps(event).encode())


def status_code(answer: bytes) -> int:
    """The status of a web answer; 0 when the answer is none."""
    try:
        document = json.loads(answer)
    except ValueError:
        return 0
    if not isinstance(document, dict):
        return 0
    try:
        return int(document.get("statusCode") or 0)
    except (TypeError, ValueError):
        return 0


def body(answer: bytes) -> bytes:
    """The body of a web answer."""
    try:
        document = json.loads(answer)
        text = document.get("body") or ""
        return base64.b64decode(text) if document.get("isBase64Encoded") else text.encode()
    except (ValueError, AttributeError):
        return b""


def paths(openapi: bytes) -> tuple[str, ...]:
    """The parameterless GETs of an OpenAPI document, health checks first; empty when it is none."""
    try:
        document = json.loads(openapi)
    except ValueError:
        return ()
    listed = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(listed, dict):
        return ()
    found = list(_parameterless(listed))
    first = [path for path in HEALTH_PATHS if path in found]
    return (*first, *(path for path in found if path not in first))


def _parameterless(listed: dict[str, Any]) -> Iterator[str]:
    for path, item in listed.items():
        operation = item.get("get") if isinstance(item, dict) else None
        if not isinstance(operation, dict) or "{" in path or any(word in path for word in _LEFT_ALONE):
            continue
        shared = item.get("parameters") or []
        parameters = [*shared, *(operation.get("parameters") or [])]
        if not any(isinstance(each, dict) and each.get("required") for each in parameters):
            yield path

"""Answers of the gateway's own, and the gateway responses by which an API words them itself; pure.

Source: API Gateway developer guide, "Gateway responses" (supported-gateway-response-types); defaults as AWS
sends them. Templates of gateway responses take simple variables alone, on AWS too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.engine.executeapi import access_log, http
from understudy.engine.executeapi.http import HttpResponse
from understudy.engine.executeapi.store import Document

_HEADER = "gatewayresponse.header."
_TEMPLATE = '{"message":$context.error.messageString}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What AWS answers unless the API says otherwise.

    Attributes:
        error: of the header ``x-amzn-errortype``, without ``Exception``.
        spaced: whether the default body has a space behind its colon, as those of integrations have.
        member: of the default body.
    """

    status: int
    text: str | None
    error: str
    spaced: bool = False
    member: str = "message"


_FAILED = "Internal server error"
KINDS: Mapping[str, Kind] = {
    "ACCESS_DENIED": Kind(
        status=403,
        text="User is not authorized to access this resource",
        error="AccessDenied",
        member="Message",
    ),
    "API_CONFIGURATION_ERROR": Kind(status=500, text=_FAILED, error="InternalServerError", spaced=True),
    "AUTHORIZER_CONFIGURATION_ERROR": Kind(status=500, text=None, error="AuthorizerConfiguration"),
    "AUTHORIZER_FAILURE": Kind(status=500, text=None, error="AuthorizerFailure"),
    "BAD_REQUEST_BODY": Kind(status=400, text="Invalid request body", error="BadRequest"),
    "BAD_REQUEST_PARAMETERS": Kind(status=400, text=None, error="BadRequest"),
    "DEFAULT_4XX": Kind(status=403, text="Forbidden", error="Forbidden"),
    "DEFAULT_5XX": Kind(status=502, text=_FAILED, error="InternalServerError", spaced=True),
    "EXPIRED_TOKEN": Kind(status=403, text=None, error="ExpiredToken"),
    "INTEGRATION_FAILURE": Kind(
        status=504,
        text="Network error communicating with endpoint",
        error="InternalServerError",
        spaced=True,
    ),
    "INTEGRATION_TIMEOUT": Kind(
        status=504, text="Endpoint request timed out", error="InternalServerError", spaced=True
    ),
    "INVALID_API_KEY": Kind(status=403, text="Forbidden", error="Forbidden"),
    "INVALID_SIGNATURE": Kind(status=403, text=None, error="InvalidSignature"),
    "MISSING_AUTHENTICATION_TOKEN": Kind(
        status=403, text="Missing Authentication Token", error="MissingAuthenticationToken"
    ),
    "QUOTA_EXCEEDED": Kind(status=429, text="Limit Exceeded", error="LimitExceeded"),
    "REQUEST_TOO_LARGE": Kind(status=413, text="Request Too Long", error="RequestTooLarge"),
    "RESOURCE_NOT_FOUND": Kind(status=404, text=None, error="NotFound"),
    "THROTTLED": Kind(status=429, text="Too Many Requests", error="TooManyRequests"),
    "UNAUTHORIZED": Kind(status=401, text="Unauthorized", error="Unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": Kind(status=415, text="Unsupported Media Type", error="BadRequest"),
    "WAF_FILTERED": Kind(status=403, text="Forbidden", error="Forbidden"),
}


class RefusedError(Exception):
    """A request gets an answer of the gateway's own; the exception's text is for the log.

    Attributes:
        kind: a gateway response type, a key of `KINDS`.
        text: what the answer says.
    """

    def __init__(self, kind: str, reason: str = "", *, text: str | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.text = KINDS[kind].text if text is None else text


def default(kind: str) -> Document:
    """Returns botocore's ``GatewayResponse`` structure of a type that an API does not word itself."""
    document: Document = {
        "responseType": kind,
        "responseParameters": {},
        "responseTemplates": {"application/json": _TEMPLATE},
        "defaultResponse": True,
    }
    return document if kind.startswith("DEFAULT") else {**document, "statusCode": str(KINDS[kind].status)}


def render(
    error: RefusedError, worded: Mapping[str, Mapping[str, Any]], context: Mapping[str, object]
) -> HttpResponse:
    """Returns the answer.

    Args:
        error: why there is one.
        worded: the API's gateway responses by type.
        context: the ``$context`` variables by their path.
    """
    kind = KINDS[error.kind]
    own = worded.get(error.kind) or worded.get("DEFAULT_4XX" if kind.status < 500 else "DEFAULT_5XX") or {}
    separators = (", ", ": ") if kind.spaced else (",", ":")
    body = json.dumps({kind.member: error.text}, separators=separators)
    template = (own.get("responseTemplates") or {}).get("application/json", _TEMPLATE)
    if template != _TEMPLATE:
        told = {"error.message": error.text, "error.messageString": json.dumps(error.text)}
        body = access_log.render(template, {**context, **told, "error.responseType": error.kind})
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", f"{kind.error}Exception".encode()),
    ]
    for name, value in (own.get("responseParameters") or {}).items():
        if name.startswith(_HEADER) and value.startswith("'"):
            added = http.pair(name.removeprefix(_HEADER), value.strip("'"))
            headers = [*(pair for pair in headers if pair[0] != added[0]), added]
    return HttpResponse(status=int(own.get("statusCode") or kind.status), headers=headers, body=body.encode())

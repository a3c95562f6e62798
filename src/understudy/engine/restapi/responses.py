"""What a function's answer becomes behind a REST API; pure.

Held to answers recorded on AWS (LocalStack's test_aws_proxy_response_payload_format_validation, 15-11-2024):
no member is required, an unknown one makes the answer malformed; ``multiValueHeaders`` come before the header
of the same name; a body is decoded only where the API's binary media types match what the client accepts.
"""

import base64
import binascii
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from understudy.engine.executeapi import http
from understudy.engine.executeapi.http import Header, HttpResponse

_MEMBERS = frozenset({"body", "headers", "isBase64Encoded", "multiValueHeaders", "statusCode"})
_OWN = frozenset({b"connection", b"content-length", b"keep-alive", b"te", b"transfer-encoding", b"upgrade"})


class MalformedAnswerError(ValueError):
    """The function's answer is no proxy response; the gateway answers 502."""


def parse(payload: bytes, *, binary: bool) -> HttpResponse:
    """Returns the HTTP response that a function's answer stands for; a base64 body is decoded if `binary`.

    Raises:
        MalformedAnswerError: the answer is not in the form of a proxy response.
    """
    try:
        answer = json.loads(payload)
    except ValueError as exc:
        raise MalformedAnswerError("the function's answer is not JSON") from exc
    if not isinstance(answer, dict):
        raise MalformedAnswerError("the function's answer is no object")
    unknown = answer.keys() - _MEMBERS
    if unknown:
        raise MalformedAnswerError(f"the function's answer holds {', '.join(sorted(unknown))}")
    return HttpResponse(
        status=_status(answer.get("statusCode")),
        headers=_headers(answer),
        body=_body(answer, binary=binary),
    )


def matches(media_type: str | None, binary_media_types: Sequence[str]) -> bool:
    """Whether the first of a header's media types is one of an API's binary ones; ``*/*`` is all."""
    if "*/*" in binary_media_types:
        return True
    first = (media_type or "").partition(",")[0].partition(";")[0].strip().lower()
    listed = [one.partition(";")[0].strip().lower() for one in binary_media_types]
    return bool(first) and (first in listed or f"{first.partition('/')[0]}/*" in listed)


def compressed(response: HttpResponse, accepted: str | None, minimum_bytes: int | None) -> HttpResponse:
    """Returns the response, in gzip where the API asks for that and the client takes it."""
    names = {name for name, _ in response.headers}
    if minimum_bytes is None or len(response.body) < minimum_bytes or b"content-encoding" in names:
        return response
    if "gzip" not in (accepted or ""):
        return response
    return replace(
        response,
        headers=[*response.headers, (b"content-encoding", b"gzip")],
        body=gzip.compress(response.body, mtime=0),
    )


def _status(value: object) -> int:
    if value is None:
        return 200
    try:
        status = int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0
    except ValueError:
        status = 0
    if not 100 <= status <= 599:
        raise MalformedAnswerError("statusCode is no HTTP status")
    return status


def _headers(answer: Mapping[str, Any]) -> list[Header]:
    single, many = (
        {} if answer.get(name) is None else answer[name] for name in ("headers", "multiValueHeaders")
    )
    if not isinstance(single, dict) or not isinstance(many, dict):
        raise MalformedAnswerError("headers or multiValueHeaders is no object")
    if not all(isinstance(values, list) for values in many.values()):
        raise MalformedAnswerError("multiValueHeaders holds something that is no list")
    pairs = [(name, value) for name, values in many.items() for value in values]
    headers = [_header(name, value) for name, value in [*pairs, *single.items()]]
    headers = [pair for pair in headers if pair[0] not in _OWN]
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"application/json"))
    return headers


def _header(name: str, value: object) -> Header:
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedAnswerError("a header's value is no text")
    return http.pair(name, str(value))


def _body(answer: Mapping[str, Any], *, binary: bool) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswerError("body is no string")
    if not (binary and answer.get("isBase64Encoded")):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MalformedAnswerError("body is not base64 as isBase64Encoded says") from exc

"""Parameter mapping: what an integration changes of a request and of its response; pure.

Source: API Gateway developer guide, "Transform API requests and responses" (http-api-parameter-mapping).
Selection in bodies (``$request.body.name``) takes names and positions of JSON, no further JSONPath.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from understudy.engine.executeapi import forwarding, http
from understudy.engine.executeapi.http import Header, HttpRequest, HttpResponse
from understudy.engine.httpapi import variables
from understudy.engine.httpapi.events import Routed
from understudy.engine.protocol import ApiError

Parameters = Mapping[str, str]
_REQUEST_KEY = re.compile(r"(append|overwrite|remove):(header|querystring)\.(.+)|overwrite:path")
_RESPONSE_KEY = re.compile(r"(append|overwrite|remove):(header)\.(.+)|overwrite:statuscode")
_VALUE = re.compile(r"\$\{([^}]+)\}|^\$([A-Za-z].*)$")
_STATUS = re.compile(r"[1-5]\d\d")


def check(integration: Mapping[str, Any]) -> None:
    """Passes when every mapping of an integration is one of HTTP APIs.

    Raises:
        ApiError: BadRequestException.
    """
    keys = [(key, _REQUEST_KEY) for key in integration.get("RequestParameters") or {}]
    for status, parameters in (integration.get("ResponseParameters") or {}).items():
        if not _STATUS.fullmatch(status):
            raise ApiError("BadRequestException", f"Invalid status code specified: {status}")
        keys += [(key, _RESPONSE_KEY) for key in parameters]
    for key, form in keys:
        if not form.fullmatch(key):
            raise ApiError("BadRequestException", f"Invalid mapping expression parameter specified: {key}")


def request(parameters: Parameters, received: HttpRequest, routed: Routed) -> HttpRequest:
    """Returns the request as the integration gets it."""
    if not parameters:
        return received
    resolve = _Resolver(received, routed, None)
    headers, query, path = list(received.headers), forwarding.query(received.query), received.path
    for key, value in parameters.items():
        operation, _, target = key.partition(":")
        text = resolve.text(value)
        if target == "path":
            path = text
        elif target.startswith("header."):
            headers = _headers(headers, operation, target.removeprefix("header."), text)
        else:
            name = target.removeprefix("querystring.")
            before = query.pop(name, [])
            if operation != "remove":
                query[name] = [*before, text] if operation == "append" else [text]
    return replace(received, headers=headers, query=urlencode(query, doseq=True), path=path)


def response(
    by_status: Mapping[str, Parameters], answer: HttpResponse, received: HttpRequest, routed: Routed
) -> HttpResponse:
    """Returns the integration's response as the client gets it."""
    parameters = by_status.get(str(answer.status), {})
    if not parameters:
        return answer
    resolve = _Resolver(received, routed, answer)
    headers, status = list(answer.headers), answer.status
    for key, value in parameters.items():
        operation, _, target = key.partition(":")
        text = resolve.text(value)
        if target == "statuscode":
            status = int(text) if _STATUS.fullmatch(text) else status
        else:
            headers = _headers(headers, operation, target.removeprefix("header."), text)
    return replace(answer, status=status, headers=headers)


def _headers(headers: list[Header], operation: str, name: str, value: str) -> list[Header]:
    added = http.pair(name, value)
    kept = headers if operation == "append" else [pair for pair in headers if pair[0] != added[0]]
    return kept if operation == "remove" else [*kept, added]


class _Resolver:
    """Replaces the variables of mapping values."""

    def __init__(self, received: HttpRequest, routed: Routed, answer: HttpResponse | None) -> None:
        self._received = received
        self._routed = routed
        self._answer = answer

    def text(self, value: str) -> str:
        """Returns a value with its variables replaced; one without a value becomes nothing."""
        return _VALUE.sub(lambda found: self._variable(found[1] or found[2]), value)

    def _variable(self, name: str) -> str:
        place, _, rest = name.partition(".")
        if place == "context":
            return str(variables.context(self._received, self._routed).get(rest) or "")
        if place == "stageVariables":
            return self._routed.stage_variables.get(rest, "")
        kind, _, key = rest.partition(".")
        if place == "response":
            return self._response(kind, key)
        return self._request(kind, key)

    def _request(self, kind: str, key: str) -> str:
        if kind == "header":
            return http.header(self._received, key.lower()) or ""
        if kind == "querystring":
            return ",".join(forwarding.query(self._received.query).get(key, ()))
        if kind == "path":
            return self._routed.path_parameters.get(key, "") if key else self._received.path
        return _selected(self._received.body, key) if kind == "body" else ""

    def _response(self, kind: str, key: str) -> str:
        if self._answer is None:
            return ""
        if kind == "header":
            wanted = key.lower().encode("latin-1", "replace")
            return ",".join(value.decode("latin-1") for name, value in self._answer.headers if name == wanted)
        return _selected(self._answer.body, key) if kind == "body" else ""


def _selected(body: bytes, key: str) -> str:
    try:
        found: object = json.loads(body)
    except ValueError:
        return ""
    for part in re.findall(r"[^.\[\]]+", key):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return ""
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))

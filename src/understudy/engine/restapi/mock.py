"""MOCK integrations: an answer with nobody behind it, by which REST APIs answer CORS preflights; pure.

Source: API Gateway developer guide, "Mock integrations". Templates are texts here: one with expressions of
the Velocity Template Language is refused when it is written, since its value could not be told.
"""

import re
from collections.abc import Mapping
from typing import Any

from understudy.engine.executeapi import http
from understudy.engine.executeapi.http import HttpResponse
from understudy.engine.protocol import ApiError

_STATUS = re.compile(r"""["']?statusCode["']?\s*:\s*["']?([1-5]\d\d)""")
_VELOCITY = re.compile(r"[#$][A-Za-z{!(*]")
_HEADER = "method.response.header."


def check_templates(templates: Mapping[str, str] | None) -> None:
    """Passes when every template is a text.

    Raises:
        ApiError: BadRequestException.
    """
    for media_type, template in (templates or {}).items():
        if _VELOCITY.search(template or ""):
            raise ApiError(
                "BadRequestException",
                f"understudy runs no Velocity templates; the one for {media_type} holds an expression",
            )


def answer(integration: Mapping[str, Any], content_type: str | None) -> HttpResponse | None:
    """Returns what a mock answers; None without a status in its template, or a response for it."""
    template = _for(integration.get("requestTemplates") or {}, content_type or "application/json")
    found = _STATUS.search(template)
    chosen = _chosen(integration.get("integrationResponses") or {}, found[1]) if found else None
    if chosen is None:
        return None
    headers = [(b"content-type", b"application/json")]
    for name, value in (chosen.get("responseParameters") or {}).items():
        if name.startswith(_HEADER) and value.startswith("'"):
            added = http.pair(name.removeprefix(_HEADER), value.strip("'"))
            headers = [*(pair for pair in headers if pair[0] != added[0]), added]
    body = _for(chosen.get("responseTemplates") or {}, "application/json")
    return HttpResponse(status=int(chosen["statusCode"]), headers=headers, body=body.encode())


def _for(templates: Mapping[str, str], media_type: str) -> str:
    wanted = media_type.partition(";")[0].strip().lower()
    return templates.get(wanted) or templates.get("application/json") or ""


def _chosen(responses: Mapping[str, Mapping[str, Any]], status: str) -> Mapping[str, Any] | None:
    """The response whose pattern is the status, or else the one without a pattern."""
    for response in responses.values():
        pattern = response.get("selectionPattern")
        if pattern and re.fullmatch(pattern, status):
            return response
    return next((one for one in responses.values() if not one.get("selectionPattern")), None)

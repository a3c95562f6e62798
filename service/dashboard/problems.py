"""Every error answer, as a problem document (RFC 9457, `application/problem+json`).

`type` stays `about:blank` and `title` the status phrase; the member to branch on is `code`. Documents are
plain ASCII: a client may send lone surrogates (as a member name, say) that UTF-8 cannot carry back.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from dashboard import logs
from dashboard.errors import DashboardError

MEDIA_TYPE = "application/problem+json"

_CODES = {400: "bad-request", 404: "not-found", 405: "method-not-allowed"}

SCHEMA: dict[str, object] = {
    "title": "Problem",
    "description": "Problem details, RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The status phrase."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable identifier of the kind of problem."},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path of the request."},
        "request_id": {"type": "string", "description": "What to search the logs for."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "unknown_tickers": {"type": "array", "items": {"type": "string"}},
    },
}
"""JSON Schema of the document, referenced from OpenAPI as `#/components/schemas/Problem`."""


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The OpenAPI description of the problem answers with these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def render(
    *,
    status: int,
    code: str,
    detail: str,
    instance: str,
    extensions: Mapping[str, object] | None = None,
) -> bytes:
    """The problem document."""
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": instance,
    }
    request_id = logs.request_id.get()
    if request_id is not None:
        problem["request_id"] = request_id
    return json.dumps(problem | dict(extensions or {}), separators=(",", ":")).encode("ascii")


def install(app: FastAPI) -> None:
    """Make the application answer every error that it handles with a problem document."""
    app.add_exception_handler(DashboardError, _on_dashboard_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_dashboard_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, DashboardError):
        raise error
    body = render(
        status=error.status,
        code=error.code,
        detail=error.detail,
        instance=request.scope["path"],
        extensions=error.extensions,
    )
    return Response(body, error.status, error.headers, MEDIA_TYPE)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework raises itself: 404, 405 and unreadable bodies."""
    if not isinstance(error, HTTPException):
        raise error
    detail = {
        404: "No resource has this path.",
        405: f"This resource does not support {request.method}.",
    }.get(error.status_code, str(error.detail))
    code = _CODES.get(error.status_code, "http-error")
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    body = render(status=error.status_code, code=code, detail=detail, instance=request.scope["path"])
    return Response(body, error.status_code, headers, MEDIA_TYPE)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    """Answer a request that does not fit the API: 400 for what is no JSON, else 422."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = error.errors()
    if any(item["type"] == "json_invalid" for item in errors):
        body = render(
            status=400,
            code="invalid-json",
            detail="The body is not valid JSON.",
            instance=request.scope["path"],
        )
        return Response(body, 400, media_type=MEDIA_TYPE)
    found = [{"pointer": _pointer(item["loc"]), "detail": item["msg"]} for item in errors]
    body = render(
        status=422,
        code="validation",
        detail=f"The request has {len(found)} invalid value{'s'[: len(found) != 1]}.",
        instance=request.scope["path"],
        extensions={"errors": found},
    )
    return Response(body, 422, media_type=MEDIA_TYPE)


def _allowed(request: Request) -> str:
    """The methods of all routes with this path; Starlette names those of the first one only."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods.update(route.methods or ())
    return ", ".join(sorted(methods))


def _pointer(location: Sequence[object]) -> str:
    """Where the value is: a JSON pointer into the body (`#/tickers/0`), else `query/limit` and the like."""
    where, *path = (str(part) for part in location)
    escaped = [part.replace("~", "~0").replace("/", "~1") for part in path]
    return "/".join(["#" if where == "body" else where, *escaped])

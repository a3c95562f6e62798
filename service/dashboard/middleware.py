"""What happens around every request: its id, its log line, and an answer even if the code breaks."""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from dashboard import logs, problems

# The ASGI types as Starlette spells them; its module is private to the import of the framework.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("dashboard.requests")


class RequestMiddleware:
    """Gives each request its id, logs it on one line and turns a crash into a problem document.

    The id is Lambda's where Mangum put its context into the scope. The line holds method, path, route,
    status and duration; no body, no query string, no header.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _apply_stage(scope)
        context = scope.get("aws.context")
        request_id = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
        token = logs.request_id.set(request_id)
        begin = time.perf_counter()
        status: int | None = None

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        except Exception:  # noqa: BLE001 - the last resort: whatever broke, the client gets a problem document
            _log.exception("unhandled exception")
            if status is None:
                await _send_crash(scope, send_noting_status)
        finally:
            _log_request(scope, status, time.perf_counter() - begin)
            logs.request_id.reset(token)


def _apply_stage(scope: Scope) -> None:
    """Make the name of an API Gateway stage in the path the application's root path.

    For a stage other than `$default` an HTTP API passes the path on with the stage's name in front. A REST
    API leaves it out, and says in the request's context what the client called.
    """
    event = scope.get("aws.event") or {}
    context = event.get("requestContext", {})
    stage = context.get("stage")
    prefix = f"/{stage}"
    if "path" in event and context.get("path") == f"{prefix}{event['path']}":
        scope["path"] = f"{prefix}{scope['path']}"
    if stage and stage != "$default" and (scope["path"] == prefix or scope["path"].startswith(f"{prefix}/")):
        scope["root_path"] = prefix


async def _send_crash(scope: Scope, send: Send) -> None:
    body = problems.render(
        status=500, code="internal", detail="The service failed to answer.", instance=scope["path"]
    )
    headers = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _log_request(scope: Scope, status: int | None, duration_s: float) -> None:
    fields = {
        "method": scope["method"],
        "path": scope["path"],
        "route": getattr(scope.get("route"), "path", None),
        "status": status,
        "durationMs": round(duration_s * 1000, 2),
    }
    _log.info("request", extra={"fields": fields})

"""The engine's own endpoint ``/_understudy/health``, and the door to LocalStack's below ``/_localstack/``."""

import json
import time
from collections.abc import Callable, Sequence

from understudy import __version__
from understudy.engine.delegate.supervisor import DelegateStatus
from understudy.engine.localstack.endpoints import ROOT, Answer, LocalStackEndpoints
from understudy.engine.protocol import Receive, Scope, Send

_MAX_BODY_BYTES = 64 * 1024


class Endpoints:
    """Answers the paths below ``/_understudy/`` and ``/_localstack/``.

    Args:
        services: names of the owned services.
        delegate: returns how the delegate is.
        localstack: answers what LocalStack's users ask for.
    """

    def __init__(
        self,
        *,
        services: Sequence[str],
        delegate: Callable[[], DelegateStatus],
        localstack: LocalStackEndpoints,
    ) -> None:
        self._services = tuple(services)
        self._delegate = delegate
        self._localstack = localstack
        self._began = time.monotonic()
        self.ready = False

    def matches(self, scope: Scope) -> bool:
        """Returns whether the path is one of ours."""
        path: str = scope["path"]
        if path.startswith("/_aws/"):
            # What the data planes have left over; LocalStack as the delegate has more below it.
            return self._delegate().url is None
        return path.startswith(("/_understudy/", ROOT))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with a document or a text, or 404 for a path that neither side knows."""
        path: str = scope["path"]
        if path.startswith(ROOT):
            answer = self._localstack.answer(scope["method"], path, await _body(receive))
        elif path.startswith("/_aws/"):
            name = "/".join(path.split("/")[:3])
            answer = Answer(status=501, document={"message": f"{name} is not implemented by understudy"})
        elif path.rstrip("/") == "/_understudy/health":
            answer = Answer(document=self._health())
        else:
            answer = Answer(status=404, document={"message": "Not Found"})
        body = json.dumps(answer.document).encode() if answer.text is None else answer.text.encode()
        kind = b"application/json" if answer.text is None else b"text/plain"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _health(self) -> dict[str, object]:
        delegate = self._delegate()
        url = {} if delegate.url is None else {"url": delegate.url}
        return {
            "status": "ready" if self.ready else "starting",
            "version": __version__,
            "uptime_s": round(time.monotonic() - self._began, 3),
            "services": self._services,
            "delegate": {
                "name": delegate.name,
                "state": delegate.state,
                "pid": delegate.pid,
                "restarts": delegate.restarts,
                **url,
            },
        }


async def _body(receive: Receive) -> bytes:
    """The request's body, as far as an endpoint cares."""
    body = b""
    while len(body) < _MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body

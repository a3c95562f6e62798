"""The engine's own endpoints: ``/_understudy/health`` and LocalStack's ``/_localstack/{health,info,init}``.

LocalStack's three keep its JSON shape, so that scripts and wait loops written for it go on working.
"""

import json
import platform
import time
import uuid
from collections.abc import Callable, Sequence

from understudy import __version__
from understudy.engine.delegate.supervisor import DelegateStatus
from understudy.engine.hooks import Hooks, Stage
from understudy.engine.protocol import Receive, Scope, Send

_DELEGATED = (
    *("acm", "cloudformation", "cloudwatch", "cognito-idp", "dynamodb", "dynamodbstreams", "events"),
    *("firehose", "iam", "kinesis", "kms", "route53", "s3", "scheduler", "secretsmanager", "ses", "sns"),
    *("sqs", "ssm", "stepfunctions", "sts"),
)
_JSON = (b"content-type", b"application/json")


class Endpoints:
    """Answers the paths below ``/_understudy/`` and ``/_localstack/``.

    Args:
        services: names of the owned services.
        delegate: returns how the delegate is.
        hooks: the init hooks.
    """

    def __init__(
        self, *, services: Sequence[str], delegate: Callable[[], DelegateStatus], hooks: Hooks
    ) -> None:
        self._services = tuple(services)
        self._delegate = delegate
        self._hooks = hooks
        self._began = time.monotonic()
        self._session = str(uuid.uuid4())
        self._version = __version__
        self.ready = False

    def matches(self, scope: Scope) -> bool:
        """Returns whether the path is one of ours."""
        path: str = scope["path"]
        return path.startswith(("/_understudy/", "/_localstack/"))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Answers with a document, or 404 for a path that neither side knows."""
        document = self._document(scope["path"].rstrip("/"))
        status = 200 if document is not None else 404
        body = json.dumps(document if document is not None else {"message": "Not Found"}).encode()
        headers = [_JSON, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _document(self, path: str) -> dict[str, object] | None:
        if path == "/_understudy/health":
            return self._health()
        if path == "/_localstack/health":
            return self._localstack_health()
        if path == "/_localstack/info":
            return self._info()
        if path == "/_localstack/init":
            return self._hooks.document()
        stage = path.removeprefix("/_localstack/init/").upper()
        return self._hooks.document(Stage[stage]) if stage in Stage.__members__ else None

    def _health(self) -> dict[str, object]:
        delegate = self._delegate()
        url = {} if delegate.url is None else {"url": delegate.url}
        return {
            "status": "ready" if self.ready else "starting",
            "version": self._version,
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

    def _localstack_health(self) -> dict[str, object]:
        delegate = self._delegate()
        up = {"running": "running", "starting": "starting"}.get(delegate.state, "error")
        delegated = dict.fromkeys(delegate.services or _DELEGATED, up)
        if up == "running":
            delegated |= delegate.services
        states = delegated | dict.fromkeys(self._services, "running")
        if "apigatewayv2" in states:
            states["apigateway"] = states.pop("apigatewayv2")
        return {"services": dict(sorted(states.items())), "edition": "understudy", "version": self._version}

    def _info(self) -> dict[str, object]:
        return {
            "version": self._version,
            "edition": "understudy",
            "is_license_activated": False,
            "session_id": self._session,
            "machine_id": "understudy",
            "system": platform.system().lower(),
            "is_docker": False,
            "server_time_utc": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
            "uptime": int(time.monotonic() - self._began),
        }

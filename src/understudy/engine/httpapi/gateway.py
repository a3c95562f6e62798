"""The data path of HTTP APIs: a request on an execute-api host becomes one Lambda invocation.

Reached as ``{api}.execute-api.localhost.localstack.cloud:4566``, ``{api}.execute-api.localhost:4566``, and,
where such names do not resolve, as ``/_aws/execute-api/{api}/{stage}/...`` (the stage may be left out when it
is ``$default``). Error mapping: an unhandled function error is 500, a timeout or a throttled function 503
(serverless/serverless#11222, swift-server/swift-aws-lambda-runtime#541).
"""

import asyncio
import functools
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import unquote

from understudy.engine import identifiers
from understudy.engine.httpapi import cors as httpapi_cors
from understudy.engine.httpapi import events, stages
from understudy.engine.httpapi.events import HttpRequest, HttpResponse, MalformedResponseError, Routed
from understudy.engine.httpapi.stages import Stage, Target
from understudy.engine.httpapi.store import ApiRecord, ApiStore
from understudy.engine.protocol import ApiError

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_PATH_PREFIX = "/_aws/execute-api/"
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_MAX_BODY_BYTES = 10_485_760
_MAX_HEADER_BYTES = 10_240
_EXECUTE_API = re.compile(r"([a-z0-9]+)\.execute-api\.")


class Outcome(Protocol):
    """What an invocation gave back."""

    @property
    def payload(self) -> bytes:
        """The function's answer, or its error document."""
        ...

    @property
    def function_error(self) -> str | None:
        """``Handled`` or ``Unhandled`` when the function failed."""
        ...


class Invoker(Protocol):
    """The part of the Lambda service that the gateway calls."""

    async def invoke(self, arn: str, payload: bytes) -> Outcome:
        """Invokes the function, version or alias that `arn` names and waits for its answer.

        Raises:
            ApiError: no such function, throttled, or an update is in progress.
        """
        ...

    def permits(self, arn: str, *, principal: str, source_arn: str) -> bool:
        """Whether the resource policy of `arn` lets `principal` invoke it on behalf of `source_arn`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Where a request went: the API, and the path behind host or prefix."""

    api_id: str
    domain: str
    path: str


class _Reply:
    """The one response to a request: the function's, or the gateway's own when that takes too long."""

    def __init__(self, scope: Scope, send: Send, cors: Mapping[str, Any] | None) -> None:
        self.request_id = identifiers.request_id()
        self.preflight = False
        self._method: str = scope["method"]
        self._send = send
        self._cors = cors
        self._origin: str | None = None
        self._late: asyncio.Task[None] | None = None
        self._begun = False
        if cors:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            self.preflight = httpapi_cors.is_preflight(self._method, headers)
            self._origin = headers.get("origin")

    async def send(self, response: HttpResponse) -> None:
        """Sends the response unless there has been one."""
        if self._begun:
            return
        self._begun = True
        if self._cors:
            kept = [pair for pair in response.headers if not pair[0].startswith(b"access-control-")]
            added = httpapi_cors.response_headers(self._cors, self._origin, preflight=self.preflight)
            response = HttpResponse(status=response.status, headers=kept + added, body=response.body)
        response.headers.append((b"apigw-requestid", self.request_id.encode()))
        await _send(self._send, response, self._method)

    def expire(self) -> None:
        """Tells the client that it has waited long enough; the function runs on, as on AWS."""
        response = _message(503, "Service Unavailable")
        self._late = asyncio.get_running_loop().create_task(self.send(response))


class HttpApiGateway:
    """A raw ASGI router for execute-api traffic."""

    def __init__(self, apis: ApiStore, invoker: Invoker) -> None:
        self._apis = apis
        self._invoker = invoker
        self._stages: dict[tuple[str, str], Stage] = {}

    def matches(self, scope: Scope) -> bool:
        """Whether a request is application traffic of some HTTP API."""
        return _api_of(_host(scope)) is not None or _decoded_path(scope).startswith(_PATH_PREFIX)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; returns when the function has ended, which may be after the answer."""
        address = _address(scope)
        record = self._apis.find(address.api_id)
        if record is None or record.document.get("DisableExecuteApiEndpoint"):
            await _send(send, _message(404, "Not Found"), scope["method"])
            return
        reply = _Reply(scope, send, record.document.get("CorsConfiguration"))
        if reply.preflight:
            await reply.send(HttpResponse(status=204))
        else:
            await reply.send(await self._answer(record, address, scope, receive, reply))

    async def _answer(
        self, record: ApiRecord, address: _Address, scope: Scope, receive: Receive, reply: _Reply
    ) -> HttpResponse:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if sum([len(name) + len(value) for name, value in headers]) > _MAX_HEADER_BYTES:
            return _message(431, "Request Header Fields Too Large")
        body = await _read_body(receive)
        if body is None:
            text = f"HTTP content length exceeded {_MAX_BODY_BYTES} bytes.".encode()
            return HttpResponse(status=413, headers=[(b"content-type", b"text/plain")], body=text)
        stage, path = self._stage(record, address.path)
        match = stage.router.match(scope["method"], path) if stage else None
        if stage is None or match is None:
            return _message(404, "Not Found")
        target = stage.targets[match.route_id]
        if target is None or target.arn is None or not self._permits(target.arn, target):
            return _message(500, "Internal Server Error")
        epoch_s = time.time()
        routed = Routed(
            account_id=record.account_id,
            api_id=record.api_id,
            stage=stage.name,
            domain=address.domain,
            route_key=match.route_key,
            path_parameters=match.path_parameters,
            stage_variables=stage.variables,
            request_id=reply.request_id,
            epoch_s=epoch_s,
            trace_id=identifiers.trace_root(epoch_s),
        )
        client = scope.get("client")
        request = HttpRequest(
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            source_ip=client[0] if client else "127.0.0.1",
            protocol=f"HTTP/{scope.get('http_version', '1.1')}",
        )
        build = events.event_v2 if target.payload_version == "2.0" else events.event_v1
        return await self._invoke(target.arn, target, _ENCODER.encode(build(request, routed)).encode(), reply)

    async def _invoke(self, arn: str, target: Target, payload: bytes, reply: _Reply) -> HttpResponse:
        timer = asyncio.get_running_loop().call_later(target.timeout_s, reply.expire)
        try:
            outcome = await self._invoker.invoke(arn, payload)
        except ApiError as exc:
            return _refused(exc)
        finally:
            timer.cancel()
        if outcome.function_error:
            return _message(500, "Internal Server Error")
        try:
            return events.parse_response(outcome.payload, target.payload_version)
        except MalformedResponseError:
            return _message(500, "Internal Server Error")

    def _permits(self, arn: str, target: Target) -> bool:
        """As on AWS, a function is invoked with a role's credentials or with its resource policy's leave."""
        return target.open or self._invoker.permits(
            arn, principal="apigateway.amazonaws.com", source_arn=target.source_arn
        )

    def _stage(self, record: ApiRecord, path: str) -> tuple[Stage | None, str]:
        """The stage that a path names with its first segment, else ``$default``; and the path behind it."""
        first, slash, rest = path[1:].partition("/")
        name = first if first in record.stages else "$default"
        if name not in record.stages:
            return None, path
        behind = path if name != first else f"/{rest}" if slash else "/"
        key = (record.api_id, name)
        stage = self._stages.get(key)
        if stage is None or stage.revision != record.revision:
            stage = self._stages[key] = stages.compiled(record, name)
        return stage, behind


def _address(scope: Scope) -> _Address:
    host = _host(scope)
    domain, path = host.decode("latin-1"), _decoded_path(scope)
    found = _api_of(host)
    if found is not None:
        return _Address(api_id=found, domain=domain, path=path)
    api_id, _, rest = path.removeprefix(_PATH_PREFIX).partition("/")
    return _Address(api_id=api_id, domain=domain, path="/" + rest.lstrip("/"))


def _host(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            return cast(bytes, value)
    return b""


@functools.lru_cache(maxsize=1024)
def _api_of(host: bytes) -> str | None:
    found = _EXECUTE_API.match(host.decode("latin-1"))
    return found[1] if found else None


def _decoded_path(scope: Scope) -> str:
    path: str = scope["path"]
    raw: bytes | None = scope.get("raw_path")
    return unquote(raw.decode("latin-1")) if raw else path


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than the gateway takes."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= _MAX_BODY_BYTES else None
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        size += len(message.get("body", b""))
        if size <= _MAX_BODY_BYTES:
            parts.append(message.get("body", b""))
    return b"".join(parts) if size <= _MAX_BODY_BYTES else None


def _refused(error: ApiError) -> HttpResponse:
    if error.code == "RequestTooLargeException":
        return _message(413, "Request Too Long")
    if error.code == "TooManyRequestsException":
        return _message(503, "Service Unavailable")
    return _message(500, "Internal Server Error")


def _message(status: int, text: str) -> HttpResponse:
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return HttpResponse(status=status, headers=[(b"content-type", b"application/json")], body=body)


async def _send(send: Send, response: HttpResponse, method: str) -> None:
    headers = [*response.headers, (b"content-length", str(len(response.body)).encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})

"""The data path of HTTP APIs: a request on an execute-api host becomes one Lambda invocation.

Reached as ``{api}.execute-api.localhost.localstack.cloud:4566``, ``{api}.execute-api.localhost:4566``, and,
where such names do not resolve, as ``/_aws/execute-api/{api}/{stage}/...`` (the stage may be left out when it
is ``$default``). Error mapping: an unhandled function error is 500, a timeout or a throttled function 503
(serverless/serverless#11222, swift-server/swift-aws-lambda-runtime#541).
"""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from understudy.engine.httpapi import cors as httpapi_cors
from understudy.engine.httpapi import events
from understudy.engine.httpapi.events import HttpRequest, HttpResponse, MalformedResponseError, Routed
from understudy.engine.httpapi.routing import Router
from understudy.engine.httpapi.store import ApiRecord, ApiStore, Document
from understudy.engine.protocol import ApiError

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_PATH_PREFIX = "/_aws/execute-api/"
_MAX_BODY_BYTES = 10_485_760
_MAX_HEADER_BYTES = 10_240
_EXECUTE_API = re.compile(r"([a-z0-9]+)\.execute-api\.")
_LAMBDA_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::[$A-Za-z0-9_-]+)?"
)
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


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
class _Stage:
    """A stage compiled for the data path; valid while `revision` is the record's."""

    revision: int
    name: str
    router: Router
    routes: Mapping[str, Document]
    integrations: Mapping[str, Document]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Where a request went: the API, and the path behind host or prefix."""

    api_id: str
    domain: str
    path: str


class HttpApiGateway:
    """A raw ASGI router for execute-api traffic."""

    def __init__(self, apis: ApiStore, invoker: Invoker) -> None:
        self._apis = apis
        self._invoker = invoker
        self._stages: dict[tuple[str, str], _Stage] = {}

    def matches(self, scope: Scope) -> bool:
        """Whether a request is application traffic of some HTTP API."""
        return _address(scope) is not None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        address = _address(scope)
        record = self._apis.find(address.api_id) if address else None
        if address is None or record is None or record.document.get("DisableExecuteApiEndpoint"):
            await _send(send, _message(404, "Not Found"), scope)
            return
        response = await self._answer(record, address, scope, receive)
        await _send(send, response, scope)

    async def _answer(
        self, record: ApiRecord, address: _Address, scope: Scope, receive: Receive
    ) -> HttpResponse:
        request_id = str(uuid.uuid4())
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        cors = record.document.get("CorsConfiguration")
        if cors and httpapi_cors.is_preflight(scope["method"], headers):
            added = httpapi_cors.response_headers(cors, headers["origin"], preflight=True)
            response = HttpResponse(status=204, headers=added)
        else:
            response = await self._invoke(record, address, scope, receive, request_id)
            if cors:
                response = _with_cors(response, cors, headers.get("origin"))
        response.headers.append((b"apigw-requestid", request_id.encode()))
        return response

    async def _invoke(
        self, record: ApiRecord, address: _Address, scope: Scope, receive: Receive, request_id: str
    ) -> HttpResponse:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MAX_HEADER_BYTES:
            return _message(431, "Request Header Fields Too Large")
        body = await _read_body(receive)
        if body is None:
            text = f"HTTP content length exceeded {_MAX_BODY_BYTES} bytes.".encode()
            return HttpResponse(status=413, headers=[(b"content-type", b"text/plain")], body=text)
        stage, path = self._stage(record, address.path)
        match = stage.router.match(scope["method"], path) if stage else None
        if stage is None or match is None:
            return _message(404, "Not Found")
        route = stage.routes[match.route_id]
        integration = stage.integrations.get(route.get("Target", "").removeprefix("integrations/"))
        if integration is None:
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
            request_id=request_id,
            epoch_s=epoch_s,
            trace_id=f"Root=1-{int(epoch_s):08x}-{uuid.uuid4().hex[:24]}",
        )
        client = scope.get("client")
        request = HttpRequest(
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            headers=scope["headers"],
            body=body,
            source_ip=client[0] if client else "127.0.0.1",
            protocol=f"HTTP/{scope.get('http_version', '1.1')}",
        )
        return await self._proxy(record, integration, request, routed)

    async def _proxy(
        self, record: ApiRecord, integration: Document, request: HttpRequest, routed: Routed
    ) -> HttpResponse:
        arn = _function_arn(integration["IntegrationUri"], routed.stage_variables)
        if arn is None or not self._permitted(record, integration, arn, routed):
            return _message(500, "Internal Server Error")
        version = integration["PayloadFormatVersion"]
        build = events.event_v2 if version == "2.0" else events.event_v1
        payload = json.dumps(build(request, routed), separators=(",", ":")).encode()
        try:
            async with asyncio.timeout(integration["TimeoutInMillis"] / 1000):
                outcome = await self._invoker.invoke(arn, payload)
        except TimeoutError:
            return _message(503, "Service Unavailable")
        except ApiError as exc:
            return _refused(exc)
        if outcome.function_error:
            return _message(500, "Internal Server Error")
        try:
            return events.parse_response(outcome.payload, version)
        except MalformedResponseError:
            return _message(500, "Internal Server Error")

    def _permitted(self, record: ApiRecord, integration: Document, arn: str, routed: Routed) -> bool:
        """As on AWS, a function is invoked with a role's credentials or with its resource policy's leave."""
        if integration.get("CredentialsArn"):
            return True
        method, _, resource = routed.route_key.partition(" ")
        if not resource:
            method, resource = "$default", ""
        method = "*" if method == "ANY" else method
        scope = f"{record.region}:{record.account_id}:{record.api_id}"
        source = f"arn:aws:execute-api:{scope}/{routed.stage}/{method}{resource}"
        return self._invoker.permits(arn, principal="apigateway.amazonaws.com", source_arn=source)

    def _stage(self, record: ApiRecord, path: str) -> tuple[_Stage | None, str]:
        """The stage that a path names with its first segment, else ``$default``; and the path behind it."""
        first, slash, rest = path[1:].partition("/")
        name = first if first in record.stages else "$default"
        if name not in record.stages:
            return None, path
        behind = path if name != first else f"/{rest}" if slash else "/"
        key = (record.api_id, name)
        stage = self._stages.get(key)
        if stage is None or stage.revision != record.revision:
            stage = self._stages[key] = _compile(record, name)
        return stage, behind


def _compile(record: ApiRecord, name: str) -> _Stage:
    document = record.stages[name]
    deployment = record.deployments.get(document.get("DeploymentId", ""))
    snapshot = deployment["Snapshot"] if deployment else {"routes": {}, "integrations": {}}
    routes: dict[str, Document] = snapshot["routes"]
    return _Stage(
        revision=record.revision,
        name=name,
        router=Router((route_id, route["RouteKey"]) for route_id, route in routes.items()),
        routes=routes,
        integrations=snapshot["integrations"],
        variables=document.get("StageVariables") or {},
    )


def _address(scope: Scope) -> _Address | None:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    found = _EXECUTE_API.match(host)
    path = _decoded_path(scope)
    if found:
        return _Address(api_id=found[1], domain=host, path=path)
    if not path.startswith(_PATH_PREFIX):
        return None
    api_id, _, rest = path[len(_PATH_PREFIX) :].partition("/")
    return _Address(api_id=api_id, domain=host, path="/" + rest.lstrip("/"))


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


def _function_arn(uri: str, variables: Mapping[str, str]) -> str | None:
    filled = _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)
    found = _LAMBDA_ARN.search(filled)
    return found[0] if found else None


def _refused(error: ApiError) -> HttpResponse:
    if error.code == "RequestTooLargeException":
        return _message(413, "Request Too Long")
    if error.code == "TooManyRequestsException":
        return _message(503, "Service Unavailable")
    return _message(500, "Internal Server Error")


def _message(status: int, text: str) -> HttpResponse:
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return HttpResponse(status=status, headers=[(b"content-type", b"application/json")], body=body)


def _with_cors(response: HttpResponse, cors: Mapping[str, Any], origin: str | None) -> HttpResponse:
    kept = [pair for pair in response.headers if not pair[0].startswith(b"access-control-")]
    added = httpapi_cors.response_headers(cors, origin, preflight=False)
    return HttpResponse(status=response.status, headers=kept + added, body=response.body)


async def _send(send: Send, response: HttpResponse, scope: Scope) -> None:
    headers = [*response.headers, (b"content-length", str(len(response.body)).encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})

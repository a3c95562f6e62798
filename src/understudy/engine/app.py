"""The ASGI application on :4566: judges, dispatches and answers; it holds no state of its own.

Order matters and is fixed: the origin rule first, then HTTP API traffic and buckets by host, then the
engine's own endpoints, then an owned service by signature, then raw routers (the registry), then owned
services by path, and the delegate for whatever is left. A host of an HTTP API never falls through to the
delegate: a route named ``/health`` belongs to the app. On a bucket's host every path is a key, ``/v2/`` and
``/_localstack/`` too.
"""

import json
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from understudy.engine import dispatch, identifiers
from understudy.engine.dispatch import Dispatcher, Signature
from understudy.engine.executeapi import address as addresses
from understudy.engine.localstack import services
from understudy.engine.origin import URL_PATH, HostKind, OriginRule
from understudy.engine.protocol import (
    BODILESS,
    DEFAULT_REGION,
    ApiError,
    Call,
    HttpRequest,
    HttpResponse,
    Receive,
    Router,
    Scope,
    Send,
    Service,
)
from understudy.engine.protocol import codec as protocol_codec

MAX_BODY_BYTES = 128 * 1024 * 1024

logger = logging.getLogger(__name__)
_CORS_METHODS = b"DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"


class Fallback(Protocol):
    """Answers every request that is not ours: the delegate, or a stand-in in a test."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the request."""
        ...


class BodyTooLargeError(Exception):
    """A request to an owned service is larger than any of its operations accepts."""


class Engine:
    """One local AWS: owned services, raw routers, the engine's own endpoints and a fallback.

    Args:
        enabled: LocalStack's names of the only services that answer; None for all.
    """

    def __init__(
        self,
        *,
        services: Sequence[Service],
        routers: Sequence[Router],
        endpoints: Router,
        fallback: Fallback,
        origin: OriginRule | None = None,
        enabled: Collection[str] | None = None,
    ) -> None:
        self._services = {service.name: service for service in services}
        self._dispatcher = Dispatcher(self._services)
        self._routers = tuple(routers)
        self._endpoints = endpoints
        self._fallback = fallback
        self._origin = origin or OriginRule()
        self._enabled = enabled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one ASGI connection; only HTTP is spoken."""
        if scope["type"] != "http":
            raise NotImplementedError(f"the engine does not speak {scope['type']}")
        headers = dict(scope["headers"])
        path: str = scope["path"]
        kind = self._origin.host_kind(headers.get(b"host", b""))
        bucket = kind is HostKind.BUCKET
        api = kind is HostKind.API or (
            (path.startswith(URL_PATH) or addresses.is_api_path(path)) and not bucket
        )
        refusal = self._origin.refusal(headers, app_traffic=api)
        if refusal is not None:
            await respond(send, _refused(refusal))
        elif api:
            await self._route_api(scope, receive, send)
        elif path.startswith("/_") and not bucket and self._endpoints.matches(scope):
            await self._endpoints.handle(scope, receive, send)
        else:
            await self._route(headers, scope, receive, send, bucket=bucket)

    async def _route_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        for router in self._routers:
            if router.matches(scope):
                await router.handle(scope, receive, send)
                return
        await respond(send, _json(404, {"message": "Not Found"}))

    async def _route(
        self, headers: Mapping[bytes, bytes], scope: Scope, receive: Receive, send: Send, *, bucket: bool
    ) -> None:
        path: str = scope["path"]
        signed = dispatch.signature(headers, scope["query_string"])
        name = None if bucket else self._dispatcher.signed(signed, headers.get(b"x-amz-target"), path)
        asked = "s3" if bucket else name or (signed.service if signed else None)
        if self._enabled is not None and asked and services.canonical(asked) not in self._enabled:
            await respond(send, services.disabled(asked, headers.get(b"content-type", b"")))
            return
        if name is None and not bucket:
            for router in self._routers:
                if router.matches(scope):
                    await router.handle(scope, receive, send)
                    return
            name = self._dispatcher.unsigned(path) if signed is None else None
            if name is not None and b"access-control-request-method" in headers:
                await respond(send, _preflight(headers))
                return
        if name is None:
            if scope["method"] == "OPTIONS" and _wants_to_sign(headers):
                await respond(send, _preflight(headers))
            else:
                await self._fallback.handle(scope, receive, send)
            return
        try:
            body = await read_body(receive)
        except BodyTooLargeError:
            await respond(
                send, _json(413, {"message": f"Request must be smaller than {MAX_BODY_BYTES} bytes"})
            )
            return
        response = await self._call(self._services[name], _request(scope, body), signed)
        await respond(send, _with_cors(response, headers))

    async def _call(self, service: Service, request: HttpRequest, signed: Signature | None) -> HttpResponse:
        request_id = identifiers.request_id()
        codec = protocol_codec.codec(service.name)
        try:
            parsed = codec.parse(request)
            operation = service.operations.get(parsed.operation)
            if operation is None:
                raise ApiError(
                    "NotImplementedException",
                    f"{service.name}:{parsed.operation} is not implemented by understudy",
                    status=501,
                )
            logger.debug("AWS %s.%s (%s)", service.name, parsed.operation, request_id)
            output = await operation(
                Call(
                    service=service.name,
                    operation=parsed.operation,
                    params=parsed.params,
                    region=signed.region if signed else DEFAULT_REGION,
                    account_id=dispatch.account_id(signed),
                    request_id=request_id,
                    host=request.headers.get("host", ""),
                    headers=request.headers,
                )
            )
            return codec.serialise(parsed.operation, output, request_id)
        except ApiError as error:
            return codec.serialise_error(error, request_id)
        except Exception:
            logger.exception("%s: %s %s failed", service.name, request.method, request.path)
            text = f"bug of understudy, see the engine's log for request {request_id}"
            return codec.serialise_error(ApiError("InternalFailure", text, status=500), request_id)


def _request(scope: Scope, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1").partition("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def read_body(receive: Receive, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Returns the whole request body.

    Raises:
        BodyTooLargeError: the body passes the limit; the rest is not read.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise BodyTooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


async def respond(send: Send, response: HttpResponse) -> None:
    """Sends a response, whole or in chunks."""
    headers = list(response.headers)
    if isinstance(response.body, bytes):
        body = b"" if response.status in BODILESS else response.body
        if response.status not in BODILESS:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await _send_chunks(send, response.body)


async def _send_chunks(send: Send, chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _json(status: int, document: Mapping[str, str]) -> HttpResponse:
    body = json.dumps(document).encode()
    return HttpResponse(status=status, headers=((b"content-type", b"application/json"),), body=body)


def _refused(reason: str) -> HttpResponse:
    return _json(403, {"__type": "ForeignOriginException", "message": f"{reason}. See docs/decisions/0022"})


def _wants_to_sign(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a preflight asks for Authorization, which the delegate's ``*`` does not cover.

    https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
    """
    return b"authorization" in headers.get(b"access-control-request-headers", b"").lower()


def _preflight(headers: Mapping[bytes, bytes]) -> HttpResponse:
    """Answers a local page's CORS preflight."""
    asked = headers.get(b"access-control-request-headers", b"*")
    return HttpResponse(
        status=204,
        headers=(
            (b"access-control-allow-origin", headers.get(b"origin", b"*")),
            (b"access-control-allow-methods", _CORS_METHODS),
            (b"access-control-allow-headers", asked),
            (b"access-control-max-age", b"600"),
            (b"vary", b"origin"),
        ),
    )


def _with_cors(response: HttpResponse, headers: Mapping[bytes, bytes]) -> HttpResponse:
    origin = headers.get(b"origin")
    if origin is None:
        return response
    return HttpResponse(
        status=response.status,
        headers=(
            *response.headers,
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", b"*"),
            (b"vary", b"origin"),
        ),
        body=response.body,
    )

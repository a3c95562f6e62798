"""A request on a function URL's host becomes one invocation; its answer is sent whole or as it is written.

Reached as ``{id}.lambda-url.{region}.localhost.localstack.cloud:4566``, by the same below ``localhost``, and,
where such names do not resolve, as ``/_aws/lambda-url/{id}/...``. The event is payload format 2.0 with the
members that AWS documents for URLs (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html): a
function error is 502, a throttled function 429, and who may not invoke gets 403.
"""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from understudy.engine import app, dispatch, identifiers
from understudy.engine.dispatch import Signature
from understudy.engine.executeapi import http
from understudy.engine.executeapi.http import HttpResponse
from understudy.engine.functions import policy, urls
from understudy.engine.functions.invoke import SYNCHRONOUS_LIMIT_BYTES, InvokeOutcome, Streaming
from understudy.engine.functions.model import LATEST, Function, FunctionUrl
from understudy.engine.functions.names import Target
from understudy.engine.httpapi import cors as url_cors
from understudy.engine.httpapi import events
from understudy.engine.httpapi.events import MalformedResponseError, Routed
from understudy.engine.origin import URL_PATH
from understudy.engine.protocol import BODILESS, ApiError, Receive, Scope, Send
from understudy.engine.protocol import HttpResponse as WireResponse
from understudy.engine.urls import prelude

_HOST = re.compile(r"([a-z0-9]+)\.lambda-url\.")
_JSON = b"application/json"
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class Functions(Protocol):
    """The part of the Lambda service that URLs call."""

    def url(self, url_id: str) -> tuple[Function, FunctionUrl] | None:
        """The function and the URL with this id."""
        ...

    async def invoke(self, arn: str, payload: bytes, *, request_id: str, trace_id: str) -> InvokeOutcome:
        """Invokes what `arn` names and waits for the answer.

        Raises:
            ApiError: no such function, not active, or throttled.
        """
        ...

    def stream(self, target: Target, payload: bytes, *, request_id: str, trace_id: str) -> Streaming:
        """Invokes `target`; its answer comes as the function writes it.

        Raises:
            ApiError: no such function, or not active.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One request to one URL."""

    function: Function
    url: FunctionUrl
    scope: Scope
    headers: Mapping[bytes, bytes]
    path: str
    request_id: str

    @property
    def domain(self) -> str:
        """The URL's host, also for who came by another: a function tells by it where a request is from."""
        return urls.host(self.function.id, self.url)

    @property
    def target(self) -> Target:
        """What it invokes."""
        qualifier = self.url.qualifier
        return Target(id=self.function.id, qualifier=None if qualifier == LATEST else qualifier)

    @property
    def signed(self) -> Signature | None:
        """Who signed it; nobody does for a URL without authentication."""
        if self.url.auth_type != "AWS_IAM":
            return None
        return dispatch.signature(self.headers, self.scope["query_string"])

    def allowed(self) -> bool:
        """Whether the caller may invoke; callers of the function's own account need no policy here.

        What their identity's policies say is not looked at: this engine takes any key.
        """
        signed = self.signed
        if self.url.auth_type == "AWS_IAM" and (signed is None or signed.service != "lambda"):
            return False
        account_id = dispatch.account_id(signed) if signed else None
        statements = self.function.policies.get(self.url.qualifier, ())
        return account_id == self.function.id.account_id or policy.permits_url(
            statements, auth_type=self.url.auth_type, account_id=account_id
        )

    def cors(self, *, preflight: bool = False) -> list[tuple[bytes, bytes]]:
        """The headers that the URL's CORS configuration adds; those of the function stay beside them."""
        if self.url.cors is None:
            return []
        origin = self.headers.get(b"origin")
        text = origin.decode("latin-1") if origin is not None else None
        return url_cors.response_headers(self.url.cors, text, preflight=preflight)

    def asks_first(self) -> bool:
        """Whether it is a preflight that the URL answers itself."""
        headers = {name.decode("latin-1"): "" for name in self.headers}
        return self.url.cors is not None and url_cors.is_preflight(self.scope["method"], headers)


class FunctionUrlGateway:
    """A raw ASGI router for lambda-url traffic."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def matches(self, scope: Scope) -> bool:
        """Whether a request is for some function URL."""
        return _url_of(_host(scope)) is not None or scope["path"].startswith(URL_PATH)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; returns when the function has ended or, for what it streams, is read out."""
        url_id, path = _address(scope)
        found = self._functions.url(url_id)
        if found is None:
            await app.respond(send, _wire(_message(404, "Not Found", "ResourceNotFoundException")))
            return
        function, url = found
        visit = _Visit(
            function=function,
            url=url,
            scope=scope,
            headers=dict(scope["headers"]),
            path=path,
            request_id=identifiers.request_id(),
        )
        if visit.asks_first():
            await app.respond(send, _wire(HttpResponse(status=200), visit.cors(preflight=True)))
        elif not visit.allowed():
            await _reply(send, visit, _message(403, _FORBIDDEN, "AccessDeniedException"))
        else:
            await self._invoke(visit, receive, send)

    async def _invoke(self, visit: _Visit, receive: Receive, send: Send) -> None:
        try:
            body = await app.read_body(receive, SYNCHRONOUS_LIMIT_BYTES)
        except app.BodyTooLargeError:
            await _reply(send, visit, _too_long())
            return
        epoch_s = time.time()
        trace_id = identifiers.trace_root(epoch_s)
        event = _event(visit, body, epoch_s, trace_id)
        payload = json.dumps(event, separators=(",", ":")).encode()
        if len(payload) > SYNCHRONOUS_LIMIT_BYTES:
            await _reply(send, visit, _too_long())
            return
        ids = {"request_id": visit.request_id, "trace_id": trace_id}
        try:
            if visit.url.invoke_mode == "BUFFERED":
                response = _whole(visit, await self._functions.invoke(visit.target.arn, payload, **ids))
            else:
                streaming = self._functions.stream(visit.target, payload, **ids)
                if await streaming.stream.started():
                    await _send_stream(send, visit, streaming)
                    return
                response = _whole(visit, await streaming.outcome)
        except ApiError as exc:
            status = 429 if exc.code == "TooManyRequestsException" else 502
            response = _message(status, exc.message, exc.code)
        await _reply(send, visit, response)


def _whole(visit: _Visit, outcome: InvokeOutcome) -> HttpResponse:
    """The answer of a function that did not stream, or may not."""
    if outcome.function_error:
        return _failed()
    if visit.url.invoke_mode == "RESPONSE_STREAM":
        # Nobody interprets it: the caller sees what the function returned.
        content_type = outcome.content_type.encode("latin-1")
        return HttpResponse(status=200, headers=[(b"content-type", content_type)], body=outcome.payload)
    try:
        return events.parse_response(outcome.payload, "2.0", _JSON)
    except MalformedResponseError:
        return _failed()


async def _send_stream(send: Send, visit: _Visit, streaming: Streaming) -> None:
    """Sends what the function streams as it comes; a stream that breaks off leaves the answer unfinished."""
    try:
        try:
            head = await prelude.read(streaming.stream)
        except MalformedResponseError:
            await _reply(send, visit, _failed())
            return
        wire = _wire(head, [*visit.cors(), _request_id(visit)])
        await send({"type": "http.response.start", "status": wire.status, "headers": list(wire.headers)})
        silent = visit.scope["method"] == "HEAD" or wire.status in BODILESS
        if head.body and not silent:
            await send({"type": "http.response.body", "body": head.body, "more_body": True})
        async for chunk in streaming.stream:
            if not silent:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        outcome: InvokeOutcome = await asyncio.shield(streaming.outcome)
        if not outcome.function_error:
            await send({"type": "http.response.body", "body": b""})
    finally:
        streaming.stream.abandon()


def _event(visit: _Visit, body: bytes, epoch_s: float, trace_id: str) -> dict[str, Any]:
    signed = visit.signed
    account_id = dispatch.account_id(signed) if signed else "anonymous"
    return events.event_v2(
        http.request(visit.scope, visit.path, body),
        Routed(
            account_id=account_id,
            api_id=visit.url.url_id,
            stage="$default",
            domain=visit.domain,
            route_key="$default",
            path_parameters={},
            stage_variables={},
            request_id=visit.request_id,
            epoch_s=epoch_s,
            trace_id=trace_id,
            authorizer={"iam": _caller(signed, account_id)} if signed else None,
        ),
    )


def _caller(signed: Signature, account_id: str) -> dict[str, str | None]:
    return {
        "accessKey": signed.access_key,
        "accountId": account_id,
        "callerId": account_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{account_id}:root",
        "userId": account_id,
    }


async def _reply(send: Send, visit: _Visit, response: HttpResponse) -> None:
    wire = _wire(response, [*visit.cors(), _request_id(visit)])
    if visit.scope["method"] == "HEAD":
        wire = WireResponse(status=wire.status, headers=wire.headers)
    await app.respond(send, wire)


def _request_id(visit: _Visit) -> tuple[bytes, bytes]:
    return b"x-amzn-requestid", visit.request_id.encode()


def _wire(response: HttpResponse, added: list[tuple[bytes, bytes]] | None = None) -> WireResponse:
    return WireResponse(
        status=response.status, headers=(*response.headers, *(added or ())), body=response.body
    )


def _message(status: int, text: str, error_type: str) -> HttpResponse:
    return HttpResponse(
        status=status,
        headers=[(b"content-type", _JSON), (b"x-amzn-errortype", error_type.encode())],
        body=json.dumps({"Message": text}, separators=(",", ":")).encode(),
    )


def _too_long() -> HttpResponse:
    return _message(413, "Request Too Long", "RequestTooLargeException")


def _failed() -> HttpResponse:
    return HttpResponse(status=502, headers=[(b"content-type", _JSON)], body=b"Internal Server Error")


def _address(scope: Scope) -> tuple[str, str]:
    """Id and decoded path of a request."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = unquote(raw.decode("latin-1").partition("?")[0])
    found = _url_of(_host(scope))
    if found is not None:
        return found, path
    url_id, _, rest = path.removeprefix(URL_PATH).partition("/")
    return url_id, f"/{rest}"


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


def _url_of(host: str) -> str | None:
    found = _HOST.match(host)
    return found[1] if found else None

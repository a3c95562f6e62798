"""The data path of HTTP APIs: a request on an execute-api host becomes one Lambda invocation.

Reached as ``{api}.execute-api.localhost.localstack.cloud:4566``, ``{api}.execute-api.localhost:4566``, and,
where such names do not resolve, as ``/_aws/execute-api/{api}/{stage}/...`` (the stage may be left out when it
is ``$default``). Error mapping: an unhandled function error is 500, a timeout or a throttled function 503
(serverless/serverless#11222, swift-server/swift-aws-lambda-runtime#541).
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.engine import identifiers
from understudy.engine.executeapi import address as addresses
from understudy.engine.executeapi import http
from understudy.engine.executeapi.access_log import AccessLog
from understudy.engine.executeapi.address import Address
from understudy.engine.executeapi.exchange import NO_PERMISSION, Exchange
from understudy.engine.executeapi.function_authorizer import FunctionAuthorizer
from understudy.engine.executeapi.http import HttpRequest, HttpResponse, Receive, Scope, Send
from understudy.engine.executeapi.invoker import PRINCIPAL, Invoker
from understudy.engine.executeapi.jwt_authorizer import JwtAuthorizer
from understudy.engine.executeapi.outbound import Outbound
from understudy.engine.executeapi.routing import RouteMatch
from understudy.engine.executeapi.store import ApiRecord, ApiStore
from understudy.engine.executeapi.throttle import Throttle
from understudy.engine.httpapi import cors as httpapi_cors
from understudy.engine.httpapi import events, http_proxy, mapping, stages, variables
from understudy.engine.httpapi.authorization import Authorization, RefusedError
from understudy.engine.httpapi.events import MalformedResponseError, Routed
from understudy.engine.httpapi.stages import Function, Stage, Target
from understudy.engine.protocol import ApiError

_ENCODER = json.JSONEncoder(separators=(",", ":"))


class _Reply:
    """The one response to a request: the function's, or the gateway's own when that takes too long."""

    def __init__(self, scope: Scope, send: Send, cors: Mapping[str, Any] | None) -> None:
        self.request_id = identifiers.request_id()
        self.preflight = False
        self.sent: HttpResponse | None = None
        self._method: str = scope["method"]
        self._send = send
        self._cors = cors
        self._origin: str | None = None
        self._late: asyncio.Task[None] | None = None
        if cors:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            self.preflight = httpapi_cors.is_preflight(self._method, headers)
            self._origin = headers.get("origin")

    async def send(self, response: HttpResponse) -> None:
        """Sends the response unless there has been one."""
        if self.sent is not None:
            return
        if self._cors:
            kept = [pair for pair in response.headers if not pair[0].startswith(b"access-control-")]
            added = httpapi_cors.response_headers(self._cors, self._origin, preflight=self.preflight)
            response = HttpResponse(status=response.status, headers=kept + added, body=response.body)
        response.headers.append((b"apigw-requestid", self.request_id.encode()))
        self.sent = response
        await http.send(self._send, response, self._method)

    def expire(self) -> None:
        """Tells the client that it has waited long enough; the function runs on, as on AWS."""
        response = http.message(503, "Service Unavailable")
        self._late = asyncio.get_running_loop().create_task(self.send(response))


class _Exchange(Exchange):
    """One request to a stage, what the gateway knows of it, and how it went."""

    def __init__(self, request: HttpRequest, routed: Routed) -> None:
        super().__init__()
        self.request = request
        self.routed = routed

    def refused(self, response: HttpResponse, *, authorizer: str | None = None) -> HttpResponse:
        """Notes an answer of the gateway's own; returns it."""
        self.failed(json.loads(response.body)["message"], authorizer=authorizer)
        return response

    def context(self, sent: HttpResponse) -> dict[str, object]:
        """Returns the ``$context`` variables of the finished request by their path."""
        return {**variables.context(self.request, self.routed), **self.outcome(sent)}


class HttpApiGateway:
    """A raw ASGI router for execute-api traffic.

    Args:
        log: takes the lines of access logs.
        cognito: the endpoint that has user pools of its own; None when there is none.
    """

    def __init__(
        self,
        apis: ApiStore,
        invoker: Invoker,
        log: AccessLog,
        outbound: Outbound,
        cognito: str | None = None,
    ) -> None:
        self._apis = apis
        self._invoker = invoker
        self._log = log
        self._outbound = outbound
        self._authorization = Authorization(
            JwtAuthorizer(self._outbound.fetch, cognito=cognito), FunctionAuthorizer(invoker)
        )
        self._throttle = Throttle()
        self._stages: dict[tuple[str, str], Stage] = {}

    def matches(self, scope: Scope) -> bool:
        """Whether a request is application traffic of some API."""
        return addresses.of(scope) is not None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; returns when the function has ended, which may be after the answer."""
        address = addresses.of(scope)
        record = self._apis.find(address.api_id) if address else None
        if address is None or record is None or record.document.get("DisableExecuteApiEndpoint"):
            await http.send(send, http.message(404, "Not Found"), scope["method"])
            return
        reply = _Reply(scope, send, record.document.get("CorsConfiguration"))
        stage, path = self._stage(record, address.decoded_path)
        if stage is None:
            await reply.send(_unrouted(reply))
            return
        match = stage.router.match(scope["method"], path)
        body = await http.read_body(receive)
        request = http.request(scope, path, body or b"")
        exchange = _Exchange(request, _routed(record, stage, match, address, reply))
        if http.oversized_headers(scope):
            await reply.send(http.message(431, "Request Header Fields Too Large"))
        elif body is None:
            await reply.send(http.body_too_long())
        elif match is None:
            await reply.send(_unrouted(reply))
        else:
            await reply.send(await self._answer(stage, match.route_id, exchange, reply))
        if stage.access_log is not None and reply.sent is not None:
            stream = f"{record.api_id}/{stage.name}"
            self._log.write(*stage.access_log, stream, exchange.context(reply.sent))

    async def _answer(self, stage: Stage, route_id: str, exchange: _Exchange, reply: _Reply) -> HttpResponse:
        route, routed = stage.routes[route_id], exchange.routed
        if not self._throttle.admits((routed.api_id, stage.name, route_id), route.limits):
            return exchange.refused(http.message(429, "Too Many Requests"))
        if route.guard is not None:
            try:
                passed = await self._authorization.check(route.guard, exchange.request, routed)
            except RefusedError as refusal:
                return exchange.refused(refusal.response, authorizer=str(refusal))
            exchange.routed = replace(routed, authorizer=passed)
        if reply.preflight:
            return HttpResponse(status=204)
        if route.target is None:
            return exchange.refused(http.message(500, "Internal Server Error"))
        mapped = mapping.request(route.target.request_parameters, exchange.request, exchange.routed)
        began = time.perf_counter()
        answer, error = await self._integrate(route.target, mapped, exchange.routed, reply)
        exchange.integrated(began, answer.status, error)
        if error:
            return exchange.refused(answer)
        return mapping.response(route.target.response_parameters, answer, exchange.request, exchange.routed)

    async def _integrate(
        self, target: Target, request: HttpRequest, routed: Routed, reply: _Reply
    ) -> tuple[HttpResponse, str | None]:
        """The integration's response, or the gateway's own and why."""
        if isinstance(target.to, Function):
            return await self._invoke(target, target.to, request, routed, reply)
        try:
            return await http_proxy.send(self._outbound, target, request, routed), None
        except OSError as exc:
            return http.message(503, "Service Unavailable"), str(exc) or "the endpoint took too long"

    async def _invoke(
        self, target: Target, function: Function, request: HttpRequest, routed: Routed, reply: _Reply
    ) -> tuple[HttpResponse, str | None]:
        failed = http.message(500, "Internal Server Error")
        if function.arn is None or not self._permits(function.arn, function):
            return failed, NO_PERMISSION
        build = events.event_v2 if function.payload_version == "2.0" else events.event_v1
        payload = _ENCODER.encode(build(request, routed)).encode()
        timer = asyncio.get_running_loop().call_later(target.timeout_s, reply.expire)
        try:
            outcome = await self._invoker.invoke(function.arn, payload)
        except ApiError as exc:
            return _refused(exc), exc.message
        finally:
            timer.cancel()
        if outcome.function_error:
            return failed, "The Lambda function returned an error"
        try:
            return events.parse_response(outcome.payload, function.payload_version), None
        except MalformedResponseError as exc:
            return failed, str(exc)

    def _permits(self, arn: str, function: Function) -> bool:
        """As on AWS, a function is invoked with a role's credentials or with its resource policy's leave."""
        return function.open or self._invoker.permits(
            arn, principal=PRINCIPAL, source_arn=function.source_arn
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


def _unrouted(reply: _Reply) -> HttpResponse:
    """The answer where no route is; a preflight needs none."""
    return HttpResponse(status=204) if reply.preflight else http.message(404, "Not Found")


def _routed(
    record: ApiRecord, stage: Stage, match: RouteMatch | None, address: Address, reply: _Reply
) -> Routed:
    epoch_s = time.time()
    return Routed(
        account_id=record.account_id,
        api_id=record.api_id,
        stage=stage.name,
        domain=address.domain,
        route_key=match.route_key if match else "",
        path_parameters=match.path_parameters if match else {},
        stage_variables=stage.variables,
        request_id=reply.request_id,
        epoch_s=epoch_s,
        trace_id=identifiers.trace_root(epoch_s),
    )


def _refused(error: ApiError) -> HttpResponse:
    if error.code == "RequestTooLargeException":
        return http.message(413, "Request Too Long")
    if error.code == "TooManyRequestsException":
        return http.message(503, "Service Unavailable")
    return http.message(500, "Internal Server Error")

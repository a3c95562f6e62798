"""The data path of REST APIs: a request to a stage becomes a Lambda invocation, is handed on, or is mocked.

Reached as ``{api}.execute-api.localhost.localstack.cloud:4566/{stage}/...`` and, where such names do not
resolve, as ``/restapis/{api}/{stage}/_user_request_/...`` or ``/_aws/execute-api/{api}/{stage}/...``. Texts
and statuses are AWS's default gateway responses; a function's error or malformed answer is 502, and one that
takes longer than its integration may is 504.
"""

import asyncio
import json
import time
from dataclasses import replace

from understudy.engine import identifiers
from understudy.engine.executeapi import address as addresses
from understudy.engine.executeapi import http
from understudy.engine.executeapi.access_log import AccessLog
from understudy.engine.executeapi.address import Address
from understudy.engine.executeapi.exchange import NO_PERMISSION, Exchange
from understudy.engine.executeapi.function_authorizer import FunctionAuthorizer
from understudy.engine.executeapi.http import HttpRequest, HttpResponse, Receive, Scope, Send
from understudy.engine.executeapi.invoker import PRINCIPAL, Invoker, Outcome
from understudy.engine.executeapi.jwt_authorizer import JwtAuthorizer
from understudy.engine.executeapi.outbound import Outbound
from understudy.engine.executeapi.routing import RouteMatch
from understudy.engine.executeapi.store import ApiRecord, ApiStore
from understudy.engine.executeapi.throttle import Throttle
from understudy.engine.protocol import ApiError
from understudy.engine.restapi import authorization, events, http_proxy, mock, refusals, responses, stages
from understudy.engine.restapi.authorization import Authorization
from understudy.engine.restapi.events import Routed
from understudy.engine.restapi.refusals import RefusedError
from understudy.engine.restapi.responses import MalformedAnswerError
from understudy.engine.restapi.stages import Method, Stage

_FORBIDDEN = RefusedError("DEFAULT_4XX")
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class _Exchange(Exchange):
    """One request to a method, what the gateway knows of it, and how it went."""

    def __init__(self, request: HttpRequest, routed: Routed, stage: Stage) -> None:
        super().__init__()
        self.request = request
        self.routed = routed
        self.stage = stage

    def binary(self, header: str) -> bool:
        """Whether the media type in a header of the request is one of the API's binary ones."""
        return responses.matches(http.header(self.request, header), self.stage.binary_media_types)


class RestApiGateway:
    """A raw ASGI router for requests to REST APIs.

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
            JwtAuthorizer(outbound.fetch, cognito=cognito), FunctionAuthorizer(invoker)
        )
        self._throttle = Throttle()
        self._stages: dict[tuple[str, str], Stage] = {}
        self._late: set[asyncio.Task[Outcome]] = set()

    def matches(self, scope: Scope) -> bool:
        """Whether a request is for a REST API that is there."""
        address = addresses.of(scope)
        return address is not None and self._apis.find(address.api_id) is not None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        address = addresses.of(scope)
        record = self._apis.find(address.api_id) if address else None
        if address is None or record is None or record.document["disableExecuteApiEndpoint"]:
            await http.send(send, refusals.render(_FORBIDDEN, {}, {}), scope["method"])
            return
        name, _, rest = address.path.lstrip("/").partition("/")
        stage, path = self._stage(record, name), f"/{rest}"
        if stage is None:
            await http.send(send, refusals.render(_FORBIDDEN, {}, {}), scope["method"])
            return
        body = await http.read_body(receive)
        request = http.request(scope, path, body or b"")
        match = stage.router.match(request.method, path.rstrip("/") or "/")
        exchange = _Exchange(request, _routed(record, stage, match, address, request), stage)
        if http.oversized_headers(scope):
            answer = http.message(431, "Request Header Fields Too Large")
        elif body is None:
            answer = http.body_too_long()
        else:
            answer = await self._answered(match, exchange)
        accepted = http.header(request, "accept-encoding")
        answer = responses.compressed(answer, accepted, stage.minimum_compression_bytes)
        answer.headers.append((b"x-amzn-requestid", exchange.routed.request_id.encode()))
        answer.headers.append((b"x-amz-apigw-id", exchange.routed.extended_request_id.encode()))
        await http.send(send, answer, scope["method"])
        if stage.access_log is not None:
            context = events.variables(request, exchange.routed) | exchange.outcome(answer)
            self._log.write(*stage.access_log, f"{record.api_id}/{stage.name}", context)

    async def _answered(self, match: RouteMatch | None, exchange: _Exchange) -> HttpResponse:
        """The method's answer, or the gateway's own as the API words it."""
        try:
            if match is None:
                raise RefusedError("MISSING_AUTHENTICATION_TOKEN")
            return await self._answer(exchange.stage.methods[match.route_id], exchange)
        except RefusedError as error:
            exchange.failed(error.text)
            context = events.variables(exchange.request, exchange.routed)
            return refusals.render(error, exchange.stage.worded, context)

    async def _answer(self, method: Method, exchange: _Exchange) -> HttpResponse:
        routed = exchange.routed
        if not self._throttle.admits((routed.api_id, routed.stage, method.source_arn), method.limits):
            raise RefusedError("THROTTLED")
        if method.guard is not None:
            try:
                passed = await self._authorization.check(method.guard, exchange.request, routed)
            except RefusedError as error:
                exchange.failed(error.text, authorizer=str(error))
                raise
            exchange.routed = replace(routed, authorizer=passed)
        if method.keyed:
            raise RefusedError("INVALID_API_KEY")
        if method.integration["type"] == "MOCK":
            made = mock.answer(method.integration, http.header(exchange.request, "content-type"))
            if made is None:
                raise RefusedError("API_CONFIGURATION_ERROR")
            return made
        began = time.perf_counter()
        try:
            answer = await self._integrate(method, exchange)
        except RefusedError as error:
            exchange.integrated(began, refusals.KINDS[error.kind].status, str(error))
            raise
        exchange.integrated(began, answer.status, None)
        return answer

    async def _integrate(self, method: Method, exchange: _Exchange) -> HttpResponse:
        if method.integration["type"] == "HTTP_PROXY":
            return await self._forward(method, exchange)
        answer = await self._invoke(method, exchange)
        answer.headers.append((b"x-amzn-trace-id", exchange.routed.trace_id.encode()))
        return answer

    async def _forward(self, method: Method, exchange: _Exchange) -> HttpResponse:
        integration = method.integration
        outgoing = http_proxy.outgoing(
            method.uri,
            integration.get("httpMethod") or "ANY",
            integration.get("requestParameters") or {},
            exchange.request,
            exchange.routed,
        )
        timeout_s = integration["timeoutInMillis"] / 1000
        try:
            return await self._outbound.send(replace(outgoing, timeout_s=timeout_s))
        except TimeoutError as exc:
            raise RefusedError("INTEGRATION_TIMEOUT", "the endpoint took too long") from exc
        except OSError as exc:
            raise RefusedError("INTEGRATION_FAILURE", str(exc)) from exc

    async def _invoke(self, method: Method, exchange: _Exchange) -> HttpResponse:
        if method.integration["httpMethod"] != "POST" or not self._permits(method):
            raise RefusedError("API_CONFIGURATION_ERROR", NO_PERMISSION)
        event = events.event(exchange.request, exchange.routed, binary=exchange.binary("content-type"))
        try:
            outcome = await self._within(method, _ENCODER.encode(event).encode())
        except ApiError as exc:
            kind = "REQUEST_TOO_LARGE" if exc.code == "RequestTooLargeException" else "DEFAULT_5XX"
            raise RefusedError(kind, exc.message) from exc
        if outcome is None:
            raise RefusedError("INTEGRATION_TIMEOUT", "the function took too long")
        if outcome.function_error:
            raise RefusedError("DEFAULT_5XX", "The Lambda function returned an error")
        try:
            return responses.parse(outcome.payload, binary=exchange.binary("accept"))
        except MalformedAnswerError as exc:
            raise RefusedError("DEFAULT_5XX", f"Malformed Lambda proxy response: {exc}") from exc

    async def _within(self, method: Method, payload: bytes) -> Outcome | None:
        """The invocation's outcome, or None when it takes too long: the function runs on, as on AWS."""
        task = asyncio.ensure_future(self._invoker.invoke(method.function or "", payload))
        done, _ = await asyncio.wait({task}, timeout=method.integration["timeoutInMillis"] / 1000)
        if done:
            return task.result()
        self._late.add(task)
        task.add_done_callback(self._forget)
        return None

    def _forget(self, task: asyncio.Task[Outcome]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()

    def _permits(self, method: Method) -> bool:
        """As on AWS, a function is invoked with a role's credentials or with its resource policy's leave."""
        if method.function is None:
            return False
        return bool(method.integration.get("credentials")) or self._invoker.permits(
            method.function, principal=PRINCIPAL, source_arn=method.source_arn
        )

    def _stage(self, record: ApiRecord, name: str) -> Stage | None:
        if name not in record.stages:
            return None
        key = (record.api_id, name)
        stage = self._stages.get(key)
        if stage is None or stage.revision != record.revision:
            stage = self._stages[key] = stages.compiled(record, name)
        return stage


def _routed(
    record: ApiRecord, stage: Stage, match: RouteMatch | None, address: Address, request: HttpRequest
) -> Routed:
    epoch_s = time.time()
    method = stage.methods[match.route_id] if match else None
    return Routed(
        account_id=record.account_id,
        api_id=record.api_id,
        deployment_id=stage.deployment_id,
        stage=stage.name,
        domain=address.domain,
        resource_id=method.resource_id if method else None,
        resource=method.resource if method else None,
        path_parameters=match.path_parameters if match else {},
        stage_variables=stage.variables,
        request_id=identifiers.request_id(),
        extended_request_id=identifiers.extended_request_id(),
        epoch_s=epoch_s,
        trace_id=identifiers.trace_root(epoch_s),
        iam=authorization.caller(method.guard if method else None, request),
    )

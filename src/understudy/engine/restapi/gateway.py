"""The data path of REST APIs: a request to a stage becomes a Lambda invocation, is handed on, or is mocked.

Reached as ``{api}.execute-api.localhost.localstack.cloud:4566/{stage}/...`` and, where such names do not
resolve, as ``/restapis/{api}/{stage}/_user_request_/...`` or ``/_aws/execute-api/{api}/{stage}/...``. Texts
and statuses are AWS's default gateway responses; a function's error or malformed answer is 502, and one that
takes longer than its integration may is 504.
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
from understudy.engine.executeapi.invoker import PRINCIPAL, Invoker, Outcome
from understudy.engine.executeapi.jwt_authorizer import JwtAuthorizer
from understudy.engine.executeapi.outbound import Outbound
from understudy.engine.executeapi.routing import RouteMatch
from understudy.engine.executeapi.store import ApiRecord, ApiStore
from understudy.engine.executeapi.throttle import Throttle
from understudy.engine.protocol import ApiError
from understudy.engine.restapi import authorization, events, http_proxy, mock, responses, stages
from understudy.engine.restapi.authorization import Authorization, RefusedError
from understudy.engine.restapi.events import Routed
from understudy.engine.restapi.responses import MalformedAnswerError
from understudy.engine.restapi.stages import Method, Stage

_TOO_LATE = "Endpoint request timed out"
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
            await http.send(send, _refusal(403, "Forbidden"), scope["method"])
            return
        name, _, rest = address.path.lstrip("/").partition("/")
        stage, path = self._stage(record, name), f"/{rest}"
        if stage is None:
            await http.send(send, _refusal(403, "Forbidden"), scope["method"])
            return
        body = await http.read_body(receive)
        request = http.request(scope, path, body or b"")
        match = stage.router.match(request.method, path.rstrip("/") or "/")
        exchange = _Exchange(request, _routed(record, stage, match, address, request), stage)
        if http.oversized_headers(scope):
            answer = exchange.failed(http.message(431, "Request Header Fields Too Large"))
        elif body is None:
            answer = http.body_too_long()
        elif match is None:
            answer = exchange.failed(_refusal(403, "Missing Authentication Token"))
        else:
            answer = await self._answer(stage.methods[match.route_id], exchange)
        accepted = http.header(request, "accept-encoding")
        answer = responses.compressed(answer, accepted, stage.minimum_compression_bytes)
        answer.headers.append((b"x-amzn-requestid", exchange.routed.request_id.encode()))
        answer.headers.append((b"x-amz-apigw-id", exchange.routed.extended_request_id.encode()))
        await http.send(send, answer, scope["method"])
        if stage.access_log is not None:
            context = events.variables(request, exchange.routed) | exchange.outcome(answer)
            self._log.write(*stage.access_log, f"{record.api_id}/{stage.name}", context)

    async def _answer(self, method: Method, exchange: _Exchange) -> HttpResponse:
        routed = exchange.routed
        if not self._throttle.admits((routed.api_id, routed.stage, method.source_arn), method.limits):
            return exchange.failed(_refusal(429, "Too Many Requests"))
        if method.guard is not None:
            try:
                passed = await self._authorization.check(method.guard, exchange.request, routed)
            except RefusedError as refusal:
                return exchange.failed(_refused(refusal), authorizer=str(refusal))
            exchange.routed = replace(routed, authorizer=passed)
        if method.keyed:
            return exchange.failed(_refusal(403, "Forbidden"))
        if method.integration["type"] == "MOCK":
            made = mock.answer(method.integration, http.header(exchange.request, "content-type"))
            return made or exchange.failed(_failure(500))
        began = time.perf_counter()
        calling = self._forward if method.integration["type"] == "HTTP_PROXY" else self._invoke
        answer, error = await calling(method, exchange)
        exchange.integrated(began, answer.status, error)
        if error:
            return exchange.failed(answer)
        if method.integration["type"] == "AWS_PROXY":
            answer.headers.append((b"x-amzn-trace-id", routed.trace_id.encode()))
        return answer

    async def _forward(self, method: Method, exchange: _Exchange) -> tuple[HttpResponse, str | None]:
        """The server's response, or the gateway's own and why."""
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
            return await self._outbound.send(replace(outgoing, timeout_s=timeout_s)), None
        except TimeoutError:
            return _failure(504, _TOO_LATE), _TOO_LATE
        except OSError as exc:
            return _failure(504, "Network error communicating with endpoint"), str(exc)

    async def _invoke(self, method: Method, exchange: _Exchange) -> tuple[HttpResponse, str | None]:
        """The function's response, or the gateway's own and why."""
        if method.integration["httpMethod"] != "POST" or not self._permits(method):
            return _failure(500), NO_PERMISSION
        event = events.event(exchange.request, exchange.routed, binary=exchange.binary("content-type"))
        try:
            outcome = await self._within(method, _ENCODER.encode(event).encode())
        except ApiError as exc:
            too_long = exc.code == "RequestTooLargeException"
            return http.message(413, "Request Too Long") if too_long else _failure(502), exc.message
        if outcome is None:
            return _failure(504, _TOO_LATE), _TOO_LATE
        if outcome.function_error:
            return _failure(502), "The Lambda function returned an error"
        try:
            return responses.parse(outcome.payload, binary=exchange.binary("accept")), None
        except MalformedAnswerError as exc:
            return _failure(502), f"Malformed Lambda proxy response: {exc}"

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


_KINDS: Mapping[str, str] = {
    "Forbidden": "ForbiddenException",
    "Missing Authentication Token": "MissingAuthenticationTokenException",
    "Too Many Requests": "TooManyRequestsException",
    "Unauthorized": "UnauthorizedException",
}


def _refusal(status: int, text: str) -> HttpResponse:
    return http.message(status, text, ("x-amzn-errortype", _KINDS[text]))


def _refused(refusal: RefusedError) -> HttpResponse:
    """An authorizer's no in AWS's words: a policy's has a capital letter, a broken one's says nothing."""
    if refusal.text in _KINDS:
        return _refusal(refusal.status, str(refusal.text))
    name, kind = ("Message", "AccessDenied") if refusal.text else ("message", "AuthorizerConfiguration")
    return HttpResponse(
        status=refusal.status,
        headers=[
            (b"content-type", b"application/json"),
            (b"x-amzn-errortype", f"{kind}Exception".encode()),
        ],
        body=json.dumps({name: refusal.text}, separators=(",", ":")).encode(),
    )


def _failure(status: int, text: str = "Internal server error") -> HttpResponse:
    """An answer in the place of an integration's; its text has a space that refusals have not."""
    kind = (b"x-amzn-errortype", b"InternalServerErrorException")
    document: dict[str, Any] = {"message": text}
    return HttpResponse(
        status=status,
        headers=[(b"content-type", b"application/json"), kind],
        body=json.dumps(document).encode(),
    )

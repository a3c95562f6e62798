"""Function URLs over a service whose functions are coroutines: permission, CORS, event, answer, stream."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.lambda_world import World
from understudy.engine.urls import FunctionUrlGateway
from understudy.sandbox.model import InvokeRequest, SandboxSpec

SIGNED = (
    "AWS4-HMAC-SHA256 Credential={}/20260102/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    finished: bool

    def header(self, name: str) -> str:
        return dict(self.headers)[name]


class Site:
    """A function `dash` with a URL."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gateway = FunctionUrlGateway(world.service)
        self.url_id = ""

    async def open(self, *, permitted: bool = True, auth: str = "NONE", **params: Any) -> None:
        await self.world.active()
        made = await self.world.call("CreateFunctionUrlConfig", FunctionName="dash", AuthType=auth, **params)
        self.url_id = made["FunctionUrl"][7:39]
        if permitted:
            await self.permit("lambda:InvokeFunctionUrl", FunctionUrlAuthType=auth)
            await self.permit("lambda:InvokeFunction", InvokedViaFunctionUrl=True)

    async def permit(self, action: str, principal: str = "*", **params: Any) -> None:
        sid = action.partition(":")[2]
        await self.world.call(
            "AddPermission",
            FunctionName="dash",
            StatementId=sid,
            Action=action,
            Principal=principal,
            **params,
        )

    async def get(self, path: str = "/", *, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        host = f"{self.url_id}.lambda-url.us-east-1.localhost.localstack.cloud:4566"
        if path.startswith("/_aws"):
            host = "localhost:4566"
        raw, _, query = path.partition("?")
        given = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 5),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        assert self.gateway.matches(scope)
        await self.gateway.handle(scope, receive, send)
        return Answer(
            status=sent[0]["status"],
            headers=[(name.decode(), value.decode()) for name, value in sent[0]["headers"]],
            body=b"".join(message["body"] for message in sent[1:]),
            finished=not sent[-1].get("more_body", False),
        )


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    world = await World(tmp_path).start()
    yield Site(world)
    await world.close()


class Transport:
    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def streams(_: SandboxSpec, request: InvokeRequest) -> bytes:
    assert request.stream is not None
    request.stream.begin("application/vnd.awslambda.http-integration-response", Transport())
    request.stream.feed(b'{"statusCode": 203, "headers": {"content-type": "text/event-stream"}}' + b"\0" * 8)
    request.stream.feed(b"data: 1\n\n")
    if json.loads(request.payload)["rawPath"] == "/fails":
        raise ValueError("half way")
    return b""


async def test_the_event_is_the_one_that_aws_documents_for_urls(site: Site) -> None:
    await site.open()
    answer = await site.get(
        "/a%20b?x=1&x=2", method="POST", body=b"hi", content_type="text/plain", cookie="c=d"
    )
    event = json.loads(answer.body)["event"]
    assert answer.status == 200
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a b")
    assert (event["queryStringParameters"], event["cookies"], event["body"]) == ({"x": "1,2"}, ["c=d"], "hi")
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["stage"]) == (
        "anonymous",
        site.url_id,
        "$default",
    )
    assert context["domainPrefix"] == site.url_id
    assert "authorizer" not in context
    by_path = await site.get(f"/_aws/lambda-url/{site.url_id}/x")
    assert json.loads(by_path.body)["event"]["rawPath"] == "/x"


async def test_the_answer_is_read_as_payload_2(site: Site) -> None:
    await site.open()

    async def teapot(*_: object) -> bytes:
        return json.dumps({"statusCode": 418, "headers": {"X-A": "b"}, "body": "short"}).encode()

    site.world.fleet.handler = teapot
    answer = await site.get()
    assert (answer.status, answer.body, answer.header("x-a")) == (418, b"short", "b")
    assert answer.header("content-type") == "application/json"
    assert (await site.get(method="HEAD")).body == b""


async def test_nothing_follows_a_status_that_has_no_body(site: Site) -> None:
    await site.open()

    async def nothing(*_: object) -> bytes:
        return b'{"statusCode": 204, "body": "null"}'

    site.world.fleet.handler = nothing
    answer = await site.get()
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in dict(answer.headers)


@pytest.mark.parametrize("missing", ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"])
async def test_both_permissions_are_needed(site: Site, missing: str) -> None:
    await site.open(permitted=False)
    for action in {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} - {missing}:
        await site.permit(action)
    answer = await site.get()
    assert answer.status == 403
    assert json.loads(answer.body)["Message"].startswith("Forbidden.")
    assert answer.header("x-amzn-errortype") == "AccessDeniedException"
    await site.permit(missing)
    assert (await site.get()).status == 200


async def test_a_statement_for_another_way_in_does_not_count(site: Site) -> None:
    await site.open(permitted=False)
    await site.permit("lambda:InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM")
    await site.permit("lambda:InvokeFunction", SourceArn="arn:aws:s3:::b")
    assert (await site.get()).status == 403


async def test_iam_wants_a_signature_and_another_account_a_policy(site: Site) -> None:
    await site.open(permitted=False, auth="AWS_IAM")
    assert (await site.get()).status == 403
    own = await site.get(authorization=SIGNED.format("AKIA"))
    caller = json.loads(own.body)["event"]["requestContext"]["authorizer"]["iam"]
    assert (caller["accountId"], caller["accessKey"]) == ("000000000000", "AKIA")
    other = SIGNED.format("111122223333")
    assert (await site.get(authorization=other)).status == 403
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        await site.permit(action, "111122223333")
    assert (await site.get(authorization=other)).status == 200


async def test_cors_is_answered_by_the_url(site: Site) -> None:
    cors = {"AllowOrigins": ["http://a.example"], "AllowMethods": ["GET"], "MaxAge": 60}
    await site.open(permitted=False, Cors=cors)
    ask = {"origin": "http://a.example", "access_control_request_method": "GET"}
    preflight = await site.get(method="OPTIONS", **ask)
    assert (preflight.status, preflight.body, site.world.fleet.made) == (200, b"", [])
    assert preflight.header("access-control-allow-origin") == "http://a.example"
    assert preflight.header("access-control-allow-methods") == "GET"
    refused = await site.get(method="OPTIONS", **{**ask, "origin": "http://b.example"})
    assert "access-control-allow-origin" not in dict(refused.headers)
    answer = await site.get(origin="http://a.example")
    assert (answer.status, answer.header("access-control-allow-origin")) == (403, "http://a.example")


async def test_failures_have_the_status_of_urls(site: Site) -> None:
    await site.open()

    async def fail(*_: object) -> bytes:
        raise KeyError("DB_URL")

    async def garbage(*_: object) -> bytes:
        return b'{"statusCode": "x"}'

    for handler in (fail, garbage):
        site.world.fleet.handler = handler
        answer = await site.get()
        assert (answer.status, answer.body) == (502, b"Internal Server Error")
    assert (await site.get(method="POST", body=b"x" * 6_291_457)).status == 413
    await site.world.call("PutFunctionConcurrency", FunctionName="dash", ReservedConcurrentExecutions=0)
    assert (await site.get()).status == 429
    site.url_id = "0" * 32
    assert (await site.get()).status == 404


async def test_a_stream_is_sent_as_it_comes_behind_its_prelude(site: Site) -> None:
    await site.open(InvokeMode="RESPONSE_STREAM")
    site.world.fleet.handler = streams
    answer = await site.get()
    assert (answer.status, answer.body, answer.finished) == (203, b"data: 1\n\n", True)
    assert answer.header("content-type") == "text/event-stream"
    broken = await site.get("/fails")
    assert (broken.status, broken.body, broken.finished) == (203, b"data: 1\n\n", False)


async def test_nothing_is_streamed_behind_a_status_that_has_no_body(site: Site) -> None:
    async def nothing(_: SandboxSpec, request: InvokeRequest) -> bytes:
        assert request.stream is not None
        request.stream.begin("application/vnd.awslambda.http-integration-response", Transport())
        request.stream.feed(b'{"statusCode": 304}' + b"\0" * 8 + b"null")
        request.stream.feed(b"null")
        return b""

    await site.open(InvokeMode="RESPONSE_STREAM")
    site.world.fleet.handler = nothing
    answer = await site.get()
    assert (answer.status, answer.body, answer.finished) == (304, b"", True)


async def test_what_is_not_streamed_is_passed_on_as_it_is(site: Site) -> None:
    await site.open(InvokeMode="RESPONSE_STREAM")

    async def whole(*_: object) -> bytes:
        return b'{"statusCode": 204}'

    site.world.fleet.handler = whole
    answer = await site.get()
    assert (answer.status, answer.body) == (200, b'{"statusCode": 204}')

    async def fail(*_: object) -> bytes:
        raise KeyError("DB_URL")

    site.world.fleet.handler = fail
    assert (await site.get()).status == 502

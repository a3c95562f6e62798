"""Both kinds of APIs as users of the SDK and of HTTP see them: a real function, a real issuer, a real log."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.engine_lambda_server import LambdaServer, serving
from tests.fakes.issuer import Issuer

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:dash"
INVOKE = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:access"
HANDLER = """
import json, time


def handler(event, headers):
    if event.get("type") == "REQUEST":
        return {"isAuthorized": event["identitySource"] == ["open"], "context": {"who": "ann"}}
    if event.get("body"):
        answer = json.loads(event["body"])
        time.sleep(answer.pop("sleep", 0) if isinstance(answer, dict) else 0)
        return answer
    return {"statusCode": 200, "body": json.dumps(event)}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LambdaServer]:
    async with serving(tmp_path) as made:
        await made.push("1", "one", handler=HANDLER)
        await made.active()
        permission = {"FunctionName": "dash", "StatementId": "gateway", "Action": "lambda:InvokeFunction"}
        await made.call(lambda sdk: sdk.add_permission(**permission, Principal="apigateway.amazonaws.com"))
        yield made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as made:
        yield made


@contextmanager
def outside(issuer: Issuer) -> Iterator[str]:
    """A server of the world outside: the issuer's documents, and below ``/echo`` what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {"method": self.command, "path": self.path, "headers": dict(self.headers)}
            body = issuer.documents().get(self.path) or json.dumps(asked).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-outside", "1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Says nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def guarded_api(sdk: Any, world: str) -> str:
    """The id of an API with a route for each thing that a gateway does, behind it `world`."""
    api = sdk.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    function = sdk.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=FUNCTION.replace("dash", "${stageVariables.function}"),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    elsewhere = sdk.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=f"{world}/echo/{{proxy}}",
        RequestParameters={"append:header.x-stage": "$context.stage"},
        ResponseParameters={"200": {"overwrite:statuscode": "203"}},
    )["IntegrationId"]
    tokens = sdk.create_authorizer(
        ApiId=api,
        Name="tokens",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": world, "Audience": ["web"]},
    )["AuthorizerId"]
    word = sdk.create_authorizer(
        ApiId=api,
        Name="word",
        AuthorizerType="REQUEST",
        IdentitySource=["$request.header.x-key"],
        AuthorizerUri=INVOKE,
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
    )["AuthorizerId"]
    routes: list[dict[str, Any]] = [
        {
            "RouteKey": "GET /token",
            "AuthorizationType": "JWT",
            "AuthorizerId": tokens,
            "AuthorizationScopes": ["read"],
        },
        {"RouteKey": "GET /word", "AuthorizationType": "CUSTOM", "AuthorizerId": word},
        {"RouteKey": "GET /rare"},
        {"RouteKey": "ANY /outside/{proxy+}", "Target": f"integrations/{elsewhere}"},
    ]
    for route in routes:
        sdk.create_route(ApiId=api, **{"Target": f"integrations/{function}", **route})
    sdk.create_stage(
        ApiId=api,
        StageName="live",
        AutoDeploy=True,
        StageVariables={"function": "dash"},
        RouteSettings={"GET /rare": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 0.001}},
        AccessLogSettings={
            "DestinationArn": GROUP,
            "Format": '{"id":"$context.requestId","route":"$context.routeKey",'
            '"status":$context.status,"who":"$context.authorizer.claims.sub"}',
        },
    )
    return str(api)


async def test_an_http_api_guards_hands_on_throttles_and_logs(
    server: LambdaServer, client: httpx.AsyncClient
) -> None:
    issuer = Issuer()
    with outside(issuer) as issuer.url:
        api = await asyncio.to_thread(guarded_api, server.client("apigatewayv2"), issuer.url)
        base = f"{server.url}/_aws/execute-api/{api}/live"
        bearer = {"authorization": f"Bearer {issuer.token(scope='read', groups=['a', 'b'])}"}

        assert (await client.get(f"{base}/token")).status_code == 401
        weak = {"authorization": issuer.token(scope="write")}
        assert (await client.get(f"{base}/token", headers=weak)).status_code == 403
        event = (await client.get(f"{base}/token", headers=bearer)).json()
        assert event["requestContext"]["authorizer"]["jwt"]["claims"]["groups"] == "[a b]"
        assert event["stageVariables"] == {"function": "dash"}

        assert (await client.get(f"{base}/word", headers={"x-key": "shut"})).status_code == 403
        event = (await client.get(f"{base}/word", headers={"x-key": "open"})).json()
        assert event["requestContext"]["authorizer"] == {"lambda": {"who": "ann"}}

        assert [(await client.get(f"{base}/rare")).status_code for _ in range(2)] == [200, 429]

        handed_on = await client.get(f"{base}/outside/a%20b/c?x=1&x=2")
        assert (handed_on.status_code, handed_on.headers["x-outside"]) == (203, "1")
        asked = handed_on.json()
        assert (asked["path"], asked["headers"]["x-stage"]) == ("/echo/a%20b/c?x=1&x=2", "live")

    logs = server.client("logs")
    lines = await asyncio.to_thread(lambda: logs.filter_log_events(logGroupName="access")["events"])
    told = [json.loads(line["message"]) for line in lines]
    assert [(line["route"], line["status"]) for line in told] == [
        *(("GET /token", status) for status in (401, 403, 200)),
        *(("GET /word", status) for status in (403, 200)),
        *(("GET /rare", status) for status in (200, 429)),
        ("ANY /outside/{proxy+}", 203),
    ]
    assert told[2]["who"] == "ann"


def rest_api(sdk: Any, world: str) -> str:
    """The id of an API whose ``{proxy+}`` is the function's, but for HEAD, which is `world`'s."""
    api = sdk.create_rest_api(name="rest", binaryMediaTypes=["image/png"])
    where = {"restApiId": api["id"]}
    proxy = sdk.create_resource(**where, parentId=api["rootResourceId"], pathPart="{proxy+}")["id"]
    method = {**where, "resourceId": proxy, "httpMethod": "ANY"}
    sdk.put_method(**method, authorizationType="NONE")
    call = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": INVOKE, "timeoutInMillis": 8000}
    sdk.put_integration(**method, **call)
    elsewhere = {**method, "httpMethod": "HEAD"}
    sdk.put_method(**elsewhere, authorizationType="NONE")
    path = {"integration.request.path.proxy": "method.request.path.proxy"}
    target = {"integrationHttpMethod": "GET", "uri": f"{world}/echo/{{proxy}}"}
    sdk.put_integration(**elsewhere, type="HTTP_PROXY", **target, requestParameters=path)
    sdk.create_deployment(**where, stageName="live")
    return str(api["id"])


async def test_a_rest_api_takes_only_what_aws_takes(server: LambdaServer, client: httpx.AsyncClient) -> None:
    with outside(Issuer()) as world:
        api = await asyncio.to_thread(rest_api, server.client("apigateway"), world)
        url = f"{server.url}/restapis/{api}/live/_user_request_/a%2Fb?x=1&x=2"
        assert (await client.head(url)).headers["x-outside"] == "1"
    assert (await client.head(url)).status_code == 504
    data = base64.b64encode(b"\xff").decode()

    event = (await client.get(url, headers={"x-a": "1"})).json()
    assert (event["path"], event["pathParameters"]) == ("/a%2Fb", {"proxy": "a%2Fb"})
    assert (event["queryStringParameters"], event["multiValueHeaders"]["X-A"]) == ({"x": "2"}, ["1"])
    assert event["requestContext"]["path"] == "/live/a%2Fb"

    async def answered(answer: object, **headers: str) -> httpx.Response:
        return await client.post(url, json=answer, headers=headers)

    assert (await answered({"statusCode": "201"})).status_code == 201
    assert (await answered({"body": data, "isBase64Encoded": True}, accept="image/png")).content == b"\xff"
    assert (await answered({"body": data, "isBase64Encoded": True})).text == data
    both = await answered({"multiValueHeaders": {"X-M": ["1", "2"]}, "headers": {"x-m": "3"}})
    assert both.headers.get_list("x-m") == ["1", "2", "3"]
    for malformed in ({"wrong": 1}, {"statusCode": "x"}, {"multiValueHeaders": {"a": "1"}}, "text"):
        refused = await answered(malformed)
        assert (refused.status_code, refused.text) == (502, '{"message": "Internal server error"}')
    late = await answered({"sleep": 9})
    assert (late.status_code, late.text) == (504, '{"message": "Endpoint request timed out"}')
    nowhere = await client.get(url.replace("/live/", "/none/"))
    assert (nowhere.status_code, nowhere.text) == (403, '{"message":"Forbidden"}')

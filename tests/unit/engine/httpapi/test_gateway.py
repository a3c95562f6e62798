import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.gateway import Answer, FakeInvoker, Lines, Outcome, Outside, ask
from tests.fakes.issuer import Issuer
from understudy.engine.executeapi.access_log import AccessLog
from understudy.engine.executeapi.store import ApiStore
from understudy.engine.httpapi.gateway import HttpApiGateway
from understudy.engine.httpapi.service import HttpApiService
from understudy.engine.protocol import ApiError, Call
from understudy.engine.state import State

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:dashboard:live"


class Gateway:
    """A gateway over a fresh store, driven as uvicorn drives it."""

    def __init__(self, path: Path) -> None:
        apis = ApiStore(State(path / "engine.sqlite").open())
        apis.open()
        self.invoker = FakeInvoker()
        self.service = HttpApiService(apis, endpoint=lambda api_id: f"http://{api_id}.execute-api.localhost")
        self.log = Lines()
        self.issuer = Issuer()
        self.gateway = HttpApiGateway(apis, self.invoker, AccessLog(self.log.append), Outside(self.issuer))
        self.handling: list[asyncio.Task[None]] = []

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.service.operations[operation](
            Call(service="apigatewayv2", operation=operation, params=params)
        )

    async def get(
        self,
        host: str,
        path: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        handling, answer = await ask(self.gateway, host, path, method=method, body=body, headers=headers)
        self.handling.append(handling)
        return answer


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


async def quick_api(gateway: Gateway, **params: Any) -> str:
    api = await gateway.call("CreateApi", Name="x", ProtocolType="HTTP", Target=FUNCTION, **params)
    return str(api["ApiId"])


@pytest.mark.parametrize("form", ["host", "localstack", "path", "path-with-stage", "path-with-empty-stage"])
async def test_health_belongs_to_the_app_on_every_address(gateway: Gateway, form: str) -> None:
    api_id = await quick_api(gateway)
    host, path = {
        "host": (f"{api_id}.execute-api.localhost:4566", "/health"),
        "localstack": (f"{api_id}.execute-api.localhost.localstack.cloud:4566", "/health"),
        "path": ("localhost:4566", f"/_aws/execute-api/{api_id}/health"),
        "path-with-stage": ("localhost:4566", f"/_aws/execute-api/{api_id}/$default/health"),
        "path-with-empty-stage": ("localhost:4566", f"/_aws/execute-api/{api_id}//health"),
    }[form]

    answer = await gateway.get(host, path + "?a=1")

    assert (answer.status, answer.body, answer.headers["x-app"]) == (200, b"ok", "1")
    assert gateway.invoker.arns == [FUNCTION]
    assert gateway.invoker.events[0]["rawPath"] == "/health"
    assert gateway.invoker.events[0]["rawQueryString"] == "a=1"


async def test_an_unknown_api_and_an_unrouted_path_are_not_found(gateway: Gateway) -> None:
    api = await gateway.call("CreateApi", Name="x", ProtocolType="HTTP", Target=FUNCTION, RouteKey="GET /a")

    unknown = await gateway.get("nope.execute-api.localhost", "/")
    unrouted = await gateway.get(f"{api['ApiId']}.execute-api.localhost", "/b")

    assert (unknown.status, unknown.body) == (404, b'{"message":"Not Found"}')
    assert (unrouted.status, unrouted.body) == (404, b'{"message":"Not Found"}')


@pytest.mark.parametrize(
    ("outcome", "status", "body"),
    [
        (Outcome(b"{}", "Unhandled"), 500, b'{"message":"Internal Server Error"}'),
        (Outcome(b"garbage"), 500, b'{"message":"Internal Server Error"}'),
        (ApiError("TooManyRequestsException", "x", status=429), 503, b'{"message":"Service Unavailable"}'),
        (ApiError("RequestTooLargeException", "x", status=413), 413, b'{"message":"Request Too Long"}'),
        (ApiError("ResourceNotFoundException", "x", status=404), 500, b'{"message":"Internal Server Error"}'),
    ],
)
async def test_failures_map_as_on_aws(
    gateway: Gateway, outcome: Outcome | ApiError, status: int, body: bytes
) -> None:
    api_id = await quick_api(gateway)
    gateway.invoker.outcome = outcome

    answer = await gateway.get(f"{api_id}.execute-api.localhost", "/")

    assert (answer.status, answer.body) == (status, body)


async def test_nothing_follows_a_status_that_has_no_body(gateway: Gateway) -> None:
    api_id = await quick_api(gateway)
    gateway.invoker.outcome = Outcome(b'{"statusCode": 204, "body": "null"}')

    answer = await gateway.get(f"{api_id}.execute-api.localhost", "/")

    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers


async def test_without_permission_the_gateway_does_not_invoke(gateway: Gateway) -> None:
    api_id = await quick_api(gateway)
    gateway.invoker.permitted = False

    answer = await gateway.get(f"{api_id}.execute-api.localhost", "/")

    assert answer.status == 500
    assert gateway.invoker.arns == []
    assert gateway.invoker.sources == [
        f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/$default/$default"
    ]


async def test_the_gateway_answers_a_preflight_itself(gateway: Gateway) -> None:
    cors = {"AllowOrigins": ["http://localhost:3000"], "AllowMethods": ["*"]}
    api_id = await quick_api(gateway, CorsConfiguration=cors)
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "GET"}

    answer = await gateway.get(f"{api_id}.execute-api.localhost", "/", method="OPTIONS", headers=asked)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert gateway.invoker.arns == []


async def test_the_gateway_replaces_the_apps_cors_headers(gateway: Gateway) -> None:
    api_id = await quick_api(gateway, CorsConfiguration={"AllowOrigins": ["*"]})
    gateway.invoker.outcome = Outcome(
        b'{"statusCode": 200, "headers": {"access-control-allow-origin": "http://app"}}'
    )

    answer = await gateway.get(
        f"{api_id}.execute-api.localhost", "/", headers={"origin": "http://localhost:3000"}
    )

    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_body_over_ten_megabytes_is_refused(gateway: Gateway) -> None:
    api_id = await quick_api(gateway)

    answer = await gateway.get(
        f"{api_id}.execute-api.localhost", "/", method="POST", body=b"x" * (10_485_760 + 1)
    )

    assert (answer.status, answer.body) == (413, b"HTTP content length exceeded 10485760 bytes.")


async def test_a_slow_function_is_unavailable_after_the_integration_timeout(gateway: Gateway) -> None:
    api_id = await quick_api(gateway)
    integration = (await gateway.call("GetIntegrations", ApiId=api_id))["Items"][0]
    await gateway.call(
        "UpdateIntegration", ApiId=api_id, IntegrationId=integration["IntegrationId"], TimeoutInMillis=50
    )
    gateway.invoker.hangs = asyncio.Event()

    answer = await gateway.get(f"{api_id}.execute-api.localhost", "/")

    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')
    assert "apigw-requestid" in answer.headers
    assert gateway.invoker.finished == 0
    gateway.invoker.hangs.set()
    await asyncio.gather(*gateway.handling)
    assert gateway.invoker.finished == 1


async def test_without_auto_deploy_a_change_waits_for_its_deployment(gateway: Gateway) -> None:
    api_id = (await gateway.call("CreateApi", Name="x", ProtocolType="HTTP"))["ApiId"]
    integration = await gateway.call(
        "CreateIntegration", ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION
    )
    await gateway.call("CreateStage", ApiId=api_id, StageName="dev", StageVariables={"color": "blue"})
    await gateway.call(
        "CreateRoute",
        ApiId=api_id,
        RouteKey="GET /{name}",
        Target=f"integrations/{integration['IntegrationId']}",
    )

    before = await gateway.get(f"{api_id}.execute-api.localhost", "/dev/a")
    await gateway.call("CreateDeployment", ApiId=api_id, StageName="dev")
    after = await gateway.get(f"{api_id}.execute-api.localhost", "/dev/a")

    assert (before.status, after.status) == (404, 200)
    event = gateway.invoker.events[0]
    assert event["version"] == "1.0"
    assert event["stageVariables"] == {"color": "blue"}
    assert event["pathParameters"] == {"name": "a"}
    assert event["path"] == "/dev/a"


async def guarded_api(gateway: Gateway, authorizer: dict[str, Any], **route: Any) -> str:
    """An API whose one route asks an authorizer first."""
    api_id = await quick_api(gateway)
    (made,) = (await gateway.call("GetRoutes", ApiId=api_id))["Items"]
    if authorizer:
        made |= await gateway.call("CreateAuthorizer", ApiId=api_id, Name="guard", **authorizer)
        route |= {"AuthorizerId": made["AuthorizerId"]}
    await gateway.call("UpdateRoute", ApiId=api_id, RouteId=made["RouteId"], **route)
    return api_id


JWT = {
    "AuthorizerType": "JWT",
    "IdentitySource": ["$request.header.Authorization"],
    "JwtConfiguration": {"Issuer": "https://idp.example", "Audience": ["web"]},
}
AUTHORIZER = "arn:aws:lambda:us-east-1:000000000000:function:guard"
LAMBDA = {
    "AuthorizerType": "REQUEST",
    "AuthorizerUri": f"arn:aws:apigateway:us-east-1:lambda:path/functions/{AUTHORIZER}/invocations",
    "AuthorizerPayloadFormatVersion": "2.0",
    "EnableSimpleResponses": True,
    "IdentitySource": ["$request.header.x-key", "$request.querystring.tenant"],
    "AuthorizerResultTtlInSeconds": 60,
}


async def test_a_jwt_route_lets_in_who_has_a_token_with_its_scope(gateway: Gateway) -> None:
    api_id = await guarded_api(gateway, JWT, AuthorizationType="JWT", AuthorizationScopes=["read"])
    host, issuer = f"{api_id}.execute-api.localhost", gateway.issuer

    nobody = await gateway.get(host, "/")
    stranger = await gateway.get(host, "/", headers={"authorization": f"Bearer {issuer.token(aud='no')}"})
    writer = await gateway.get(host, "/", headers={"authorization": issuer.token(scope="write")})
    reader = await gateway.get(host, "/", headers={"authorization": issuer.token(scope="read more")})

    assert (nobody.status, nobody.body) == (401, b'{"message":"Unauthorized"}')
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert (stranger.status, stranger.body) == (401, b'{"message":"Unauthorized"}')
    assert stranger.headers["www-authenticate"] == (
        'Bearer scope="read" error="invalid_token" '
        'error_description="the token does not have a valid audience"'
    )
    assert (writer.status, writer.body) == (403, b'{"message":"Forbidden"}')
    assert reader.status == 200
    (event,) = gateway.invoker.events
    assert event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["read", "more"]
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "ann"


async def test_a_function_decides_and_its_word_is_kept(gateway: Gateway) -> None:
    api_id = await guarded_api(gateway, LAMBDA, AuthorizationType="CUSTOM")
    host = f"{api_id}.execute-api.localhost"
    gateway.invoker.answers[AUTHORIZER] = Outcome(b'{"isAuthorized": true, "context": {"user": "ann"}}')

    without = await gateway.get(host, "/", headers={"x-key": "1"})
    passed = [await gateway.get(host, "/a?tenant=t", headers={"x-key": "1"}) for _ in range(2)]
    gateway.invoker.answers[AUTHORIZER] = Outcome(b'{"isAuthorized": false}')
    denied = await gateway.get(host, "/a?tenant=u", headers={"x-key": "1"})
    gateway.invoker.answers[AUTHORIZER] = Outcome(b"{}", "Unhandled")
    failed = await gateway.get(host, "/a?tenant=v", headers={"x-key": "1"})

    assert (without.status, without.body) == (401, b'{"message":"Unauthorized"}')
    assert [answer.status for answer in passed] == [200, 200]
    assert (denied.status, denied.body) == (403, b'{"message":"Forbidden"}')
    assert (failed.status, failed.body) == (500, b'{"message":"Internal Server Error"}')
    assert gateway.invoker.arns == [AUTHORIZER, FUNCTION, FUNCTION, AUTHORIZER, AUTHORIZER]
    question, request = gateway.invoker.events[:2]
    assert question["identitySource"] == ["1", "t"]
    assert question["routeArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/$default/GET/a"
    assert request["requestContext"]["authorizer"] == {"lambda": {"user": "ann"}}


async def test_a_signed_route_wants_a_signature_for_execute_api(gateway: Gateway) -> None:
    api_id = await guarded_api(gateway, {}, AuthorizationType="AWS_IAM")
    host = f"{api_id}.execute-api.localhost"
    signed = "AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/{}/aws4_request, SignedHeaders=host"

    other = await gateway.get(host, "/", headers={"authorization": signed.format("lambda")})
    right = await gateway.get(host, "/", headers={"authorization": signed.format("execute-api")})

    assert (other.status, other.body) == (403, b'{"message":"Forbidden"}')
    assert right.status == 200
    assert gateway.invoker.events[0]["requestContext"]["authorizer"]["iam"]["accessKey"] == "AKID"


async def test_a_preflight_of_a_guarded_route_is_refused_as_on_aws(gateway: Gateway) -> None:
    api_id = await guarded_api(gateway, JWT, AuthorizationType="JWT")
    await gateway.call("UpdateApi", ApiId=api_id, CorsConfiguration={"AllowOrigins": ["*"]})
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "GET"}
    host = f"{api_id}.execute-api.localhost"

    caught = await gateway.get(host, "/", method="OPTIONS", headers=asked)
    await gateway.call("CreateRoute", ApiId=api_id, RouteKey="OPTIONS /{proxy+}")
    opened = await gateway.get(host, "/a", method="OPTIONS", headers=asked)

    assert (caught.status, opened.status) == (401, 204)


async def test_a_route_takes_as_many_requests_as_its_stage_says(gateway: Gateway) -> None:
    api_id = await quick_api(gateway)
    settings = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.0001}
    await gateway.call("UpdateStage", ApiId=api_id, StageName="$default", DefaultRouteSettings=settings)
    host = f"{api_id}.execute-api.localhost"

    answers = [await gateway.get(host, "/") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].body == b'{"message":"Too Many Requests"}'
    own = {"$default": {"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0.0}}
    await gateway.call("UpdateStage", ApiId=api_id, StageName="$default", RouteSettings=own)
    assert (await gateway.get(host, "/")).status == 429


async def test_every_request_of_a_stage_is_logged_with_its_outcome(gateway: Gateway) -> None:
    api_id = await guarded_api(gateway, JWT, AuthorizationType="JWT")
    log = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:access",
        "Format": "$context.requestId|$context.routeKey|$context.status|$context.responseLength|"
        "$context.integrationStatus|$context.authorizer.error|$context.authorizer.claims.sub",
    }
    await gateway.call("UpdateStage", ApiId=api_id, StageName="$default", AccessLogSettings=log)
    host = f"{api_id}.execute-api.localhost"

    refused = await gateway.get(host, "/")
    await gateway.get(host, "/", headers={"authorization": gateway.issuer.token()})

    assert [(group, stream) for group, stream, _ in gateway.log.lines] == [
        ("access", f"{api_id}/$default")
    ] * 2
    first, second = (text.split("|") for _, _, text in gateway.log.lines)
    assert first == [
        refused.headers["apigw-requestid"],
        "$default",
        "401",
        "26",
        "-",
        "an identity source is missing",
        "-",
    ]
    assert second[1:] == ["$default", "200", "2", "200", "-", "ann"]


async def test_a_request_without_a_route_is_logged_too(gateway: Gateway) -> None:
    api = await gateway.call("CreateApi", Name="x", ProtocolType="HTTP", Target=FUNCTION, RouteKey="GET /a")
    log = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:access",
        "Format": "$context.requestId $context.routeKey $context.path $context.status",
    }
    await gateway.call("UpdateStage", ApiId=api["ApiId"], StageName="$default", AccessLogSettings=log)

    answer = await gateway.get(f"{api['ApiId']}.execute-api.localhost", "/b")

    ((_, _, line),) = gateway.log.lines
    assert line == f"{answer.headers['apigw-requestid']} - /b 404"

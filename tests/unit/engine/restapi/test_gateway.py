import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.gateway import Answer, FakeInvoker, Lines, Outcome, Outside, ask
from tests.fakes.issuer import Issuer
from understudy.engine.executeapi.access_log import AccessLog
from understudy.engine.executeapi.store import ApiStore
from understudy.engine.protocol import ApiError, Call
from understudy.engine.restapi.gateway import RestApiGateway
from understudy.engine.restapi.service import RestApiService
from understudy.engine.state import State

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:dashboard:${stageVariables.alias}"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
PROXY = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": URI}
FAILED = b'{"message": "Internal server error"}'


class Gateway:
    """A REST API with ``{proxy+}`` behind a gateway, driven as uvicorn drives it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.invoker, self.log = FakeInvoker(), Lines()
        self.handling: list[asyncio.Task[None]] = []
        self.open()

    def open(self) -> None:
        """Begins anew over what was written."""
        apis = ApiStore(State(self.path / "engine.sqlite").open(), "apigateway", "restapi")
        apis.open()
        self.service = RestApiService(apis)
        self.issuer = Issuer("http://localhost:4566/us-east-1_Pool")
        log, outside = AccessLog(self.log.append), Outside(self.issuer)
        self.gateway = RestApiGateway(apis, self.invoker, log, outside, "http://localhost:4566")

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.service.operations[operation](
            Call(service="apigateway", operation=operation, params=params)
        )

    async def make(self, integration: dict[str, Any] | None = None, **api: Any) -> str:
        """The id of an API whose stage ``dev`` serves ``ANY /{proxy+}``."""
        made = await self.call("CreateRestApi", name="x", **api)
        self.api_id, self.root = made["id"], made["rootResourceId"]
        resource = await self.call(
            "CreateResource", restApiId=self.api_id, parentId=self.root, pathPart="{proxy+}"
        )
        self.proxy = {"restApiId": self.api_id, "resourceId": resource["id"], "httpMethod": "ANY"}
        await self.call("PutMethod", **self.proxy, authorizationType="NONE")
        await self.call("PutIntegration", **self.proxy, **(integration or PROXY))
        await self.deploy(variables={"alias": "live"})
        return str(self.api_id)

    async def deploy(self, **params: Any) -> None:
        await self.call("CreateDeployment", restApiId=self.api_id, stageName="dev", **params)

    async def patch(self, path: str, value: str) -> None:
        operation = {"op": "replace", "path": path, "value": value}
        where = {"restApiId": self.api_id, "stageName": "dev"}
        await self.call("UpdateStage", **where, patchOperations=[operation])

    async def get(self, path: str, **params: Any) -> Answer:
        host = params.pop("host", f"{self.api_id}.execute-api.us-east-1.localhost.localstack.cloud:4566")
        handling, answer = await ask(self.gateway, host, path, **params)
        self.handling.append(handling)
        return answer


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


async def test_a_request_becomes_the_event_that_aws_sends(gateway: Gateway) -> None:
    api_id = await gateway.make()

    answer = await gateway.get(
        "/dev/a%2Bb/?category=x&category=y%20z",
        method="POST",
        body=b'{"a":1}',
        headers={"content-type": "application/json", "x-a": "1"},
    )

    assert (answer.status, answer.body, answer.headers["x-app"]) == (200, b"ok", "1")
    assert gateway.invoker.arns == ["arn:aws:lambda:us-east-1:000000000000:function:dashboard:live"]
    assert gateway.invoker.sources == [
        f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/dev/*/{{proxy+}}"
    ]
    (event,) = gateway.invoker.events
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/{proxy+}", "/a%2Bb/", "POST")
    assert event["pathParameters"] == {"proxy": "a%2Bb"}
    assert event["queryStringParameters"] == {"category": "y z"}
    assert event["multiValueQueryStringParameters"] == {"category": ["x", "y z"]}
    assert event["multiValueHeaders"]["X-A"] == ["1"]
    assert event["stageVariables"] == {"alias": "live"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"a":1}', False)
    context = event["requestContext"]
    assert (context["path"], context["resourcePath"], context["stage"]) == ("/dev/a%2Bb/", "/{proxy+}", "dev")
    assert "version" not in event
    assert answer.headers["x-amzn-requestid"] == context["requestId"]


@pytest.mark.parametrize("form", ["/restapis/{api}/dev/_user_request_/a", "/_aws/execute-api/{api}/dev/a"])
async def test_paths_reach_it_too(gateway: Gateway, form: str) -> None:
    api_id = await gateway.make()

    answer = await gateway.get(form.format(api=api_id), host="localhost:4566")

    assert answer.status == 200
    assert gateway.invoker.events[0]["requestContext"]["path"] == "/dev/a"


async def test_what_is_not_there_is_refused_in_aws_words(gateway: Gateway) -> None:
    await gateway.make()

    no_stage = await gateway.get("/prod/a")
    no_route = await gateway.get("/dev")

    assert (no_stage.status, no_stage.body) == (403, b'{"message":"Forbidden"}')
    assert (no_route.status, no_route.body) == (403, b'{"message":"Missing Authentication Token"}')
    assert no_route.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(b"{}", "Unhandled"), 502),
        (Outcome(b'{"wrong": 1}'), 502),
        (ApiError("TooManyRequestsException", "x", status=429), 502),
        (ApiError("ResourceNotFoundException", "x", status=404), 502),
    ],
)
async def test_failures_map_as_on_aws(gateway: Gateway, outcome: Outcome | ApiError, status: int) -> None:
    await gateway.make()
    gateway.invoker.outcome = outcome

    answer = await gateway.get("/dev/a")

    assert (answer.status, answer.body) == (status, FAILED)
    assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"


async def test_what_lambda_does_not_take_is_too_long(gateway: Gateway) -> None:
    await gateway.make()
    gateway.invoker.outcome = ApiError("RequestTooLargeException", "x", status=413)

    answer = await gateway.get("/dev/a")

    assert (answer.status, answer.body) == (413, b'{"message":"Request Too Long"}')


async def test_an_api_can_have_the_id_of_its_tag(gateway: Gateway) -> None:
    assert await gateway.make(tags={"_custom_id_": "mine"}) == "mine"
    for taken in ("mine", "No Host"):
        with pytest.raises(ApiError, match="taken or invalid"):
            await gateway.make(tags={"_custom_id_": taken})


async def test_without_permission_the_gateway_does_not_invoke(gateway: Gateway) -> None:
    await gateway.make()
    gateway.invoker.permitted = False

    answer = await gateway.get("/dev/a")

    assert (answer.status, answer.body) == (500, FAILED)
    assert gateway.invoker.arns == []


async def test_a_slow_function_times_out_and_runs_on(gateway: Gateway) -> None:
    await gateway.make({**PROXY, "timeoutInMillis": 50})
    gateway.invoker.hangs = asyncio.Event()

    answer = await gateway.get("/dev/a")

    assert (answer.status, answer.body) == (504, b'{"message": "Endpoint request timed out"}')
    gateway.invoker.hangs.set()
    await gateway.invoker.ended.wait()


async def test_bodies_are_base64_where_the_api_says_so(gateway: Gateway) -> None:
    await gateway.make(binaryMediaTypes=["image/png"])
    gateway.invoker.outcome = Outcome(b'{"body": "/w==", "isBase64Encoded": true}')

    binary = await gateway.get(
        "/dev/a", method="POST", body=b"\xff", headers={"content-type": "image/png", "accept": "image/png"}
    )
    text = await gateway.get("/dev/a", headers={"accept": "text/html"})

    assert (binary.body, text.body) == (b"\xff", b"/w==")
    assert (gateway.invoker.events[0]["body"], gateway.invoker.events[0]["isBase64Encoded"]) == ("/w==", True)


async def test_a_preflight_is_a_mock(gateway: Gateway) -> None:
    await gateway.make()
    where = {**gateway.proxy, "httpMethod": "OPTIONS"}
    await gateway.call("PutMethod", **where, authorizationType="NONE")
    await gateway.call("PutMethodResponse", **where, statusCode="204")
    template = {"application/json": "{ statusCode: 204 }"}
    await gateway.call("PutIntegration", **where, type="MOCK", requestTemplates=template)
    headers = {"method.response.header.Access-Control-Allow-Origin": "'*'"}
    await gateway.call("PutIntegrationResponse", **where, statusCode="204", responseParameters=headers)
    methods = {
        "op": "add",
        "path": "/responseParameters/method.response.header.Access-Control-Allow-Methods",
        "value": "'GET,PUT'",
    }
    await gateway.call("UpdateIntegrationResponse", **where, statusCode="204", patchOperations=[methods])
    await gateway.deploy()

    answer = await gateway.get("/dev/a", method="OPTIONS")

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert answer.headers["access-control-allow-methods"] == "GET,PUT"
    assert gateway.invoker.arns == []


async def test_signature_key_and_limits_are_asked_for(gateway: Gateway) -> None:
    await gateway.make()

    async def method(path: str, value: str) -> Answer:
        operations = [{"op": "replace", "path": path, "value": value}]
        await gateway.call("UpdateMethod", **gateway.proxy, patchOperations=operations)
        await gateway.deploy()
        return await gateway.get("/dev/a")

    unsigned = await method("/authorizationType", "AWS_IAM")
    await method("/authorizationType", "NONE")
    keyless = await method("/apiKeyRequired", "true")
    await method("/apiKeyRequired", "false")
    await gateway.patch("/*/*/throttling/burstLimit", "1")
    await gateway.patch("/*/*/throttling/rateLimit", "0.0001")
    few = [await gateway.get("/dev/a") for _ in range(2)]
    await gateway.patch("/~1{proxy+}/ANY/throttling/burstLimit", "0")

    assert (unsigned.status, unsigned.body) == (403, b'{"message":"Missing Authentication Token"}')
    assert (keyless.status, keyless.body) == (403, b'{"message":"Forbidden"}')
    assert [answer.status for answer in few] == [200, 429]
    assert few[1].body == b'{"message":"Too Many Requests"}'
    assert (await gateway.get("/dev/a")).status == 429


async def test_requests_are_logged_and_a_restart_forgets_nothing(gateway: Gateway) -> None:
    api_id = await gateway.make()
    group = "arn:aws:logs:us-east-1:000000000000:log-group:access"
    text = "$context.requestId $context.identity.sourceIp $context.resourcePath $context.status "
    text += "$context.error.message"
    await gateway.patch("/accessLogSettings/destinationArn", group)
    await gateway.patch("/accessLogSettings/format", text)
    await gateway.deploy(description="a deployment", stageDescription="a stage")
    before = await gateway.call("GetStage", restApiId=api_id, stageName="dev")
    assert (before["description"], before["variables"]) == ("a stage", {"alias": "live"})

    gateway.open()

    answer = await gateway.get("/dev/a")
    await gateway.get("/dev")
    identifier = answer.headers["x-amzn-requestid"]
    first, second = gateway.log.lines
    assert first == ("access", f"{api_id}/dev", f"{identifier} 127.0.0.1 /{{proxy+}} 200 -")
    assert second[2].endswith(" 127.0.0.1 - 403 Missing Authentication Token")
    assert await gateway.call("GetStage", restApiId=api_id, stageName="dev") == before


@pytest.mark.parametrize(
    ("operation", "params", "said"),
    [
        ("PutIntegration", {"type": "HTTP", "uri": "http://x"}, "AWS_PROXY, HTTP_PROXY, MOCK integrations"),
        (
            "PutIntegration",
            {**PROXY, "uri": "arn:aws:apigateway:us-east-1:s3:path/x"},
            "only supports Lambda",
        ),
        ("PutIntegration", {**PROXY, "integrationHttpMethod": None}, "HttpMethod must be non-empty"),
        ("PutIntegration", {**PROXY, "timeoutInMillis": 30_000}, "between 50 ms and 29000 ms"),
        (
            "PutIntegration",
            {"type": "MOCK", "requestTemplates": {"application/json": "#set($a = 1)"}},
            "Velocity",
        ),
        ("PutIntegration", {"type": "HTTP_PROXY", "uri": "ftp://x"}, "Invalid HTTP endpoint"),
        (
            "PutIntegration",
            {"type": "HTTP_PROXY", "uri": "http://x", "requestParameters": {"header.x": "'1'"}},
            "Invalid mapping",
        ),
        ("PutMethod", {"authorizationType": "NONE"}, "already exists"),
        ("PutIntegrationResponse", {"statusCode": "200"}, "Response status code"),
    ],
)
async def test_refuses_by_name(gateway: Gateway, operation: str, params: dict[str, Any], said: str) -> None:
    await gateway.make()

    with pytest.raises(ApiError, match=said):
        await gateway.call(operation, **gateway.proxy, **params)


async def test_resources_hang_together(gateway: Gateway) -> None:
    api_id = await gateway.make()

    async def create(part: str, parent: str | None = None) -> dict[str, Any]:
        place = {"restApiId": api_id, "parentId": parent or gateway.root}
        return await gateway.call("CreateResource", **place, pathPart=part)

    for part, said in (("{other}", "A sibling"), ("a b", "path part"), ("{proxy+}", "Another resource")):
        with pytest.raises(ApiError, match=said):
            await create(part)
    with pytest.raises(ApiError, match="greedy path variable"):
        await create("x", gateway.proxy["resourceId"])
    pets = await create("pets")
    pet = await create("{id}", pets["id"])
    assert pet["path"] == "/pets/{id}"
    await gateway.call("DeleteResource", restApiId=api_id, resourceId=pets["id"])
    listed = (await gateway.call("GetResources", restApiId=api_id))["items"]
    assert [item["path"] for item in listed] == ["/", "/{proxy+}"]
    assert json.dumps(listed[1]["resourceMethods"]) == '{"ANY": {}}'


AUTHORIZER = "arn:aws:lambda:us-east-1:000000000000:function:guard"


async def guard(gateway: Gateway, kind: str, authorizer: dict[str, Any], **method: Any) -> None:
    """Lets an authorizer decide who may call ``ANY /{proxy+}``."""
    where = {"restApiId": gateway.api_id, "name": kind}
    made = await gateway.call("CreateAuthorizer", **where, **authorizer)
    operations = [
        {"op": "replace", "path": "/authorizerId", "value": made["id"]},
        {"op": "replace", "path": "/authorizationType", "value": kind},
        *({"op": "add", "path": "/authorizationScopes", "value": one} for one in method.get("scopes", ())),
    ]
    await gateway.call("UpdateMethod", **gateway.proxy, patchOperations=operations)
    await gateway.deploy()


def policy(effect: str, **more: Any) -> Outcome:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"}
    return Outcome(json.dumps({"policyDocument": {"Statement": [statement]}, **more}).encode())


def json_message(text: str) -> bytes:
    return json.dumps({"Message": text}, separators=(",", ":")).encode()


async def test_a_functions_policy_decides_in_aws_words(gateway: Gateway) -> None:
    api_id = await gateway.make()
    uri = URI.replace(FUNCTION, AUTHORIZER)
    token = {"type": "TOKEN", "authorizerUri": uri, "identitySource": "method.request.header.Authorization"}
    await guard(gateway, "CUSTOM", token)

    async def get(token: str, outcome: Outcome) -> tuple[int, bytes]:
        gateway.invoker.answers[AUTHORIZER] = outcome
        answer = await gateway.get("/dev/a", headers={"authorization": token} if token else {})
        return answer.status, answer.body

    raised = Outcome(b'{"errorMessage": "Unauthorized"}', "Unhandled")
    assert await get("", policy("Allow")) == (401, b'{"message":"Unauthorized"}')
    assert await get("bad", raised) == (401, b'{"message":"Unauthorized"}')
    assert await get("broken", Outcome(b'{"a": 1}')) == (500, b'{"message":null}')
    denied = "User is not authorized to access this resource"
    silent = Outcome(b'{"policyDocument": {"Statement": []}}')
    assert await get("silent", silent) == (403, json_message(denied))
    denied += " with an explicit deny in an identity-based policy"
    assert await get("denied", policy("Deny")) == (403, json_message(denied))
    allowed = policy("Allow", principalId="ann", context={"number": 1, "yes": True})
    assert await get("good", allowed) == (200, b"ok")
    assert await get("good", policy("Deny")) == (200, b"ok"), "kept for five minutes"
    asked = next(event for event in gateway.invoker.events if event.get("authorizationToken") == "good")
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/dev/GET/a"
    assert asked == {"type": "TOKEN", "methodArn": arn, "authorizationToken": "good"}
    context = gateway.invoker.events[-1]["requestContext"]
    assert context["authorizer"] == {"principalId": "ann", "number": "1", "yes": "true"}


async def test_a_request_authorizer_sees_the_request(gateway: Gateway) -> None:
    await gateway.make()
    uri = URI.replace(FUNCTION, AUTHORIZER)
    request = {"type": "REQUEST", "authorizerUri": uri, "authorizerResultTtlInSeconds": 0}
    await guard(gateway, "CUSTOM", request)
    gateway.invoker.answers[AUTHORIZER] = policy("Allow")

    assert (await gateway.get("/dev/a?x=1")).status == 200
    (asked, _) = gateway.invoker.events
    assert (asked["type"], asked["path"], asked["queryStringParameters"]) == ("REQUEST", "/a", {"x": "1"})
    assert "body" not in asked


@pytest.mark.parametrize(("scopes", "use"), [((), "id"), (("read",), "access")])
async def test_a_user_pool_opens_with_the_right_kind_of_token(
    gateway: Gateway, scopes: tuple[str, ...], use: str
) -> None:
    await gateway.make()
    pool = {
        "type": "COGNITO_USER_POOLS",
        "providerARNs": ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Pool"],
        "identitySource": "method.request.header.Authorization",
    }
    await guard(gateway, "COGNITO_USER_POOLS", pool, scopes=scopes)
    issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool"
    claims = {"iss": issuer, "scope": "read", "cognito:groups": ["a", "b"]}

    for kind, status in ((use, 200), ("access" if use == "id" else "id", 401)):
        token = gateway.issuer.token(token_use=kind, **claims)
        assert (await gateway.get("/dev/a", headers={"authorization": token})).status == status
    (event,) = gateway.invoker.events
    assert event["requestContext"]["authorizer"]["claims"]["cognito:groups"] == "a,b"


async def test_an_authorizer_in_use_stays(gateway: Gateway) -> None:
    api_id = await gateway.make()
    uri = URI.replace(FUNCTION, AUTHORIZER)
    token = {"type": "TOKEN", "authorizerUri": uri, "identitySource": "method.request.header.Authorization"}
    await guard(gateway, "CUSTOM", token)
    (made,) = (await gateway.call("GetAuthorizers", restApiId=api_id))["items"]
    where = {"restApiId": api_id, "authorizerId": made["id"]}

    with pytest.raises(ApiError, match="is referenced in a method"):
        await gateway.call("DeleteAuthorizer", **where)
    await gateway.call("DeleteMethod", **gateway.proxy)
    await gateway.call("DeleteAuthorizer", **where)
    with pytest.raises(ApiError, match="Invalid Authorizer identifier"):
        await gateway.call("GetAuthorizer", **where)


async def test_gateway_responses_are_the_apis_own_words(gateway: Gateway) -> None:
    api_id = await gateway.make()
    where = {"restApiId": api_id, "responseType": "MISSING_AUTHENTICATION_TOKEN"}
    first = await gateway.call("GetGatewayResponse", **where)
    await gateway.call("PutGatewayResponse", **where, statusCode="404")
    header = "/responseParameters/gatewayresponse.header.x-worded"
    operation = {"op": "add", "path": header, "value": "'1'"}
    await gateway.call("UpdateGatewayResponse", **where, patchOperations=[operation])
    before = await gateway.get("/dev")
    await gateway.deploy()
    after = await gateway.get("/dev")

    assert (first["statusCode"], first["defaultResponse"]) == ("403", True)
    assert (before.status, after.status, after.headers["x-worded"]) == (403, 404, "1")
    assert after.body == b'{"message":"Missing Authentication Token"}'
    await gateway.call("DeleteGatewayResponse", **where)
    listed = (await gateway.call("GetGatewayResponses", restApiId=api_id))["items"]
    assert all(item["defaultResponse"] for item in listed)

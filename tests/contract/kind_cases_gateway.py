"""The lives of HTTP APIs and of what hangs below them; see `kind_case`."""

from tests.contract.kind_case import ACCOUNT, Case, Spec
from understudy.manifests.model import Json

_MANY = "moto cannot list authorizers, by which one is found"
_INVOKE = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions"
_TAGS = "MiniStack keeps tags by ARN, apart from those that GetApi and GetStage answer with"
_UNIT = "test_apigatewayv2.py::"


def _api(name: str) -> tuple[str, Spec]:
    return "API", {"name": f"kinds-{name}", "protocolType": "HTTP"}


def _function(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}:live"


_TARGET: Json = "integrations/${Integration.integrationID}"
_ID: Json = "${API.apiID}"
_INTEGRATION: tuple[str, Spec] = (
    "Integration",
    {
        "apiID": _ID,
        "integrationType": "AWS_PROXY",
        "integrationURI": _function("web"),
        "payloadFormatVersion": "2.0",
    },
)

API = Case(
    kind="API",
    base={
        "name": "kinds-api",
        "protocolType": "HTTP",
        "description": "first",
        "version": "1",
        "corsConfiguration": {
            "allowOrigins": ["https://a.example", "https://b.example"],
            "allowMethods": ["GET", "POST"],
            "allowHeaders": ["X-A", "authorization"],
        },
        "tags": {"a": "1", "b": "2"},
    },
    steps={
        "described": {"description": "second", "version": "2"},
        "other cors": {
            "corsConfiguration": {
                "allowOrigins": ["https://b.example"],
                "allowMethods": ["GET"],
                "exposeHeaders": ["X-B"],
                "allowCredentials": True,
                "maxAge": 60,
            }
        },
        "no cors": {"corsConfiguration": None},
        "by its own name only": {"disableExecuteAPIEndpoint": True},
        "by AWS's name again": {"disableExecuteAPIEndpoint": None},
        "other tags": {"tags": {"b": "3", "c": "4"}},
    },
    lacks={"ministack": {"other tags": _TAGS}},
    elsewhere=dict.fromkeys(
        ("apiKeySelectionExpression", "disableSchemaValidation", "routeSelectionExpression"),
        f"{_UNIT}test_settings_of_an_api_are_written",
    ),
)

INTEGRATION = Case(
    kind="Integration",
    base={
        "apiID": _ID,
        "description": "web",
        "integrationType": "AWS_PROXY",
        "integrationMethod": "POST",
        "integrationURI": _function("web"),
        "payloadFormatVersion": "2.0",
        "timeoutInMillis": 20000,
    },
    needs=(_api("integration"),),
    steps={
        "another function": {"integrationURI": _function("other")},
        "older events": {"payloadFormatVersion": "1.0"},
        "less time": {"timeoutInMillis": 10000},
        "by a role": {"credentialsARN": f"arn:aws:iam::{ACCOUNT}:role/gateway"},
        "by permission": {"credentialsARN": None},
    },
    lacks={"ministack": {"credentialsARN": "MiniStack keeps no CredentialsArn"}},
    elsewhere={
        "connectionID": "test_apigatewayv2_routes.py::test_private_integration_is_written_whole",
        "integrationSubtype": "test_apigatewayv2_routes.py::test_private_integration_is_written_whole",
    },
)

PROXY = Case(
    name="Integration-proxy",
    kind="Integration",
    base={
        "apiID": _ID,
        "description": "elsewhere",
        "integrationType": "HTTP_PROXY",
        "integrationMethod": "ANY",
        "integrationURI": "https://a.example/",
        "connectionType": "INTERNET",
        "requestParameters": {"append:header.x-a": "1", "overwrite:header.x-b": "2"},
        "responseParameters": {"200": {"overwrite:header.x-c": "3"}, "500": {"append:header.x-d": "4"}},
        "tlsConfig": {"serverNameToVerify": "a.example"},
    },
    needs=(_api("proxy"),),
    steps={
        "another method": {"integrationMethod": "GET"},
        "fewer parameters": {
            "requestParameters": {"append:header.x-a": "1"},
            "responseParameters": {"200": {"overwrite:header.x-c": "5"}},
        },
        "no parameters": {"requestParameters": None, "responseParameters": None},
        "any name": {"tlsConfig": None},
    },
    lacks={"ministack": {"tlsConfig": "MiniStack keeps no TlsConfig"}},
)

AUTHORIZER = Case(
    kind="Authorizer",
    base={
        "apiID": _ID,
        "name": "people",
        "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"audience": ["web", "app"], "issuer": "https://idp.example"},
    },
    needs=(_api("authorizer"),),
    steps={
        "another source": {"identitySource": ["$request.querystring.token"]},
        "another issuer": {"jwtConfiguration": {"audience": ["web"], "issuer": "https://new.example"}},
    },
    lacks={"moto": {"*": _MANY}},
)

LAMBDA_AUTHORIZER = Case(
    name="Authorizer-function",
    kind="Authorizer",
    base={
        "apiID": _ID,
        "name": "function",
        "authorizerType": "REQUEST",
        "authorizerURI": f"{_INVOKE}/{_function('a')}/invocations",
        "authorizerPayloadFormatVersion": "2.0",
        "authorizerResultTTLInSeconds": 60,
        "enableSimpleResponses": True,
        "authorizerCredentialsARN": f"arn:aws:iam::{ACCOUNT}:role/gateway",
        "identitySource": ["$request.header.Authorization"],
    },
    needs=(_api("lambda-authorizer"),),
    steps={
        "kept shorter": {"authorizerResultTTLInSeconds": 30},
        "policies": {"enableSimpleResponses": False},
        "older events": {"authorizerPayloadFormatVersion": "1.0"},
        "by permission": {"authorizerCredentialsARN": None},
    },
    lacks={"moto": {"*": _MANY}},
)

_OPEN = Case(
    kind="Route",
    base={
        "apiID": _ID,
        "routeKey": "GET /items/{id}",
        "operationName": "first",
        "target": _TARGET,
    },
    needs=(_api("route"), _INTEGRATION),
    steps={"renamed": {"operationName": "second"}},
)

ROUTE = Case(
    name="Route-guarded",
    kind="Route",
    base={
        "apiID": _ID,
        "routeKey": "$default",
        "authorizationType": "JWT",
        "authorizerID": "${Authorizer.authorizerID}",
        "authorizationScopes": ["a", "b"],
        "target": _TARGET,
    },
    needs=(_api("guarded"), _INTEGRATION, ("Authorizer", {**AUTHORIZER.base, "name": "guard"})),
    steps={
        "other scopes": {"authorizationScopes": ["c"]},
        "no scopes": {"authorizationScopes": None},
        "for everybody": {"authorizationType": None, "authorizerID": None},
        "by IAM": {"authorizationType": "AWS_IAM"},
    },
    lacks={"moto": {"*": _MANY}},
)

STAGE = Case(
    kind="Stage",
    base={
        "apiID": _ID,
        "stageName": "live",
        "autoDeploy": False,
        "description": "first",
        "deploymentID": "${Deployment.deploymentID}",
        "defaultRouteSettings": {"throttlingBurstLimit": 10, "throttlingRateLimit": 5.5},
        "routeSettings": {"GET /a": {"throttlingBurstLimit": 1}, "GET /b": {"throttlingBurstLimit": 2}},
        "stageVariables": {"a": "1", "b": "2"},
        "accessLogSettings": {
            "destinationARN": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:kinds",
            "format": "$context.requestId",
        },
        "tags": {"a": "1", "b": "2"},
    },
    needs=(
        _api("stage"),
        _INTEGRATION,
        (
            "Route",
            {"apiID": _ID, "routeKey": "GET /a", "target": _TARGET},
        ),
        (
            "Route",
            {"apiID": _ID, "routeKey": "GET /b", "target": _TARGET},
        ),
        ("Deployment", {"apiID": _ID, "description": "one"}),
    ),
    steps={
        "described": {"description": "second"},
        "other limits": {"defaultRouteSettings": {"throttlingBurstLimit": 20, "throttlingRateLimit": 5.5}},
        "fewer route limits": {"routeSettings": {"GET /a": {"throttlingBurstLimit": 3}}},
        "no route limits": {"routeSettings": None},
        "other variables": {"stageVariables": {"b": "3", "c": "4"}},
        "no variables": {"stageVariables": None},
        "other log": {
            "accessLogSettings": {
                "destinationARN": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:kinds",
                "format": "$context.requestId $context.requestTime",
            }
        },
        "no log": {"accessLogSettings": None},
        "other tags": {"tags": {"b": "3", "c": "4"}},
        "deployed by itself": {"autoDeploy": True, "deploymentID": None},
    },
    lacks={
        "moto": {"*": "moto has no deployments of HTTP APIs, and its UpdateStage fails"},
        "ministack": {
            **dict.fromkeys(
                ("fewer route limits", "no route limits", "no log"),
                "MiniStack takes DeleteRouteSettings and DeleteAccessLogSettings for DeleteStage",
            ),
            "other tags": _TAGS,
        },
    },
)

DEPLOYMENT = Case(
    kind="Deployment",
    base={"apiID": _ID, "description": "one"},
    needs=(
        _api("deployment"),
        _INTEGRATION,
        ("Route", {"apiID": _ID, "routeKey": "$default", "target": _TARGET}),
    ),
    steps={},
    lacks={"moto": {"*": "moto has no deployments of HTTP APIs"}},
    elsewhere={"stageName": f"{_UNIT}test_deployment_can_go_live_at_once"},
)

CASES: tuple[Case, ...] = (
    API,
    INTEGRATION,
    PROXY,
    AUTHORIZER,
    LAMBDA_AUTHORIZER,
    _OPEN,
    ROUTE,
    STAGE,
    DEPLOYMENT,
)

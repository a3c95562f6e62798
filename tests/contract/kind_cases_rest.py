"""The lives of REST APIs and of what hangs below them; see `kind_case`."""

from tests.contract.kind_case import ACCOUNT, Case, Spec, policy
from understudy.manifests.model import Json

_NO_UPDATE = "moto has no UpdateMethod and no UpdateIntegration"
_TAGS = "MiniStack keeps tags by ARN, apart from those that GetRestApi and GetStage answer with"
_ID: Json = "${RestAPI.id}"
_PATH: Json = "${Resource.id}"

ONCE = {
    ("moto", "Resource"): "moto fails on DeleteResource of what is gone",
    ("moto", "RestAPI"): "moto fails on DeleteRestApi of what is gone",
    ("moto", "RestIntegration"): "moto fails on DeleteIntegration of what is gone",
}
"""Where taking away what is gone already is an error of the endpoint, and why."""


def _uri(name: str) -> str:
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}:live"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"


def _api(name: str) -> tuple[str, Spec]:
    return "RestAPI", {"name": f"kinds-rest-{name}"}


_RESOURCE: tuple[str, Spec] = (
    "Resource",
    {"restAPIID": _ID, "parentID": "${RestAPI.rootResourceID}", "pathPart": "{proxy+}"},
)
_METHOD: tuple[str, Spec] = (
    "Method",
    {"restAPIID": _ID, "resourceID": _PATH, "httpMethod": "ANY", "authorizationType": "NONE"},
)
_INTEGRATION: tuple[str, Spec] = (
    "RestIntegration",
    {
        "restAPIID": _ID,
        "resourceID": _PATH,
        "httpMethod": "ANY",
        "type": "AWS_PROXY",
        "integrationHTTPMethod": "POST",
        "uri": _uri("web"),
    },
)

REST_API = Case(
    kind="RestAPI",
    base={
        "name": "kinds-rest",
        "description": "first",
        "apiKeySource": "HEADER",
        "binaryMediaTypes": ["image/png", "application/octet-stream"],
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "minimumCompressionSize": 1024,
        "policy": policy("execute-api:Invoke", "execute-api:/*", Principal="*"),
        "tags": {"a": "1", "b": "2"},
    },
    steps={
        "described": {"description": "second"},
        "keys by an authorizer": {"apiKeySource": "AUTHORIZER"},
        "another policy": {"policy": policy("execute-api:Invoke", "execute-api:/live/*", Principal="*")},
        "no policy": {"policy": None},
        "for the edge": {"endpointConfiguration": {"types": ["EDGE"]}},
        "by its own name only": {"disableExecuteAPIEndpoint": True},
        "any size": {"minimumCompressionSize": None},
        "other tags": {"tags": {"b": "3", "c": "4"}},
    },
    lacks={
        "moto": {
            "binaryMediaTypes": "moto's CreateRestApi forgets them",
            "any size": "moto's UpdateRestApi forgets the size",
            "other tags": "moto tags no REST APIs, stages only",
        },
        "ministack": {
            "for the edge": "MiniStack takes /endpointConfiguration/types/0 for a map",
            "by its own name only": "MiniStack keeps the text of a patch where AWS has a boolean",
            "other tags": _TAGS,
        },
    },
)

RESOURCE = Case(
    kind="Resource",
    base={"restAPIID": _ID, "parentID": "${RestAPI.rootResourceID}", "pathPart": "items"},
    needs=(_api("resource"),),
    steps={},
)

METHOD = Case(
    kind="Method",
    base={
        "restAPIID": _ID,
        "resourceID": _PATH,
        "httpMethod": "GET",
        "authorizationType": "NONE",
        "apiKeyRequired": True,
        "operationName": "first",
        "requestModels": {"application/json": "Empty"},
        "requestParameters": {"method.request.querystring.a": True, "method.request.header.b": False},
    },
    needs=(_api("method"), _RESOURCE),
    steps={
        "renamed": {"operationName": "second"},
        "by IAM": {"authorizationType": "AWS_IAM"},
    },
    lacks={"moto": {"renamed": _NO_UPDATE, "by IAM": _NO_UPDATE}},
    elsewhere=dict.fromkeys(
        ("authorizationScopes", "authorizerID", "requestValidatorID"),
        "test_rest_methods.py::test_what_guards_a_method_is_patched",
    ),
)

INTEGRATION = Case(
    kind="RestIntegration",
    base={
        **_INTEGRATION[1],
        "credentials": f"arn:aws:iam::{ACCOUNT}:role/gateway",
        "passthroughBehavior": "WHEN_NO_MATCH",
        "cacheKeyParameters": ["method.request.path.proxy"],
        "contentHandling": "CONVERT_TO_TEXT",
        "requestParameters": {"integration.request.header.a": "'1'"},
        "requestTemplates": {"application/json": "{}"},
        "timeoutInMillis": 20000,
    },
    needs=(_api("integration"), _RESOURCE, _METHOD),
    steps={
        "another function": {"uri": _uri("other")},
        "by permission": {"credentials": None},
        "as it comes": {"contentHandling": None},
        "never passed": {"passthroughBehavior": "NEVER"},
    },
    lacks={
        "moto": {
            "cacheKeyParameters": "moto's PutIntegration forgets them",
            **dict.fromkeys(("another function", "by permission", "as it comes", "never passed"), _NO_UPDATE),
        },
    },
    elsewhere=dict.fromkeys(
        ("cacheNamespace", "connectionID", "connectionType", "tlsConfig"),
        "test_rest_methods.py::test_private_integration_is_patched",
    ),
)

DEPLOYMENT = Case(
    kind="RestDeployment",
    base={"restAPIID": _ID, "description": "one"},
    needs=(_api("deployment"), _RESOURCE, _METHOD, _INTEGRATION),
    steps={},
)

STAGE = Case(
    kind="RestStage",
    base={
        "restAPIID": _ID,
        "stageName": "live",
        "deploymentID": "${RestDeployment.id}",
        "description": "first",
        "cacheClusterEnabled": True,
        "cacheClusterSize": "0.5",
        "tracingEnabled": True,
        "variables": {"a": "1", "b": "2"},
        "tags": {"a": "1", "b": "2"},
    },
    needs=(
        _api("stage"),
        _RESOURCE,
        _METHOD,
        _INTEGRATION,
        ("RestDeployment", {"restAPIID": _ID, "description": "one"}),
    ),
    steps={
        "described": {"description": "second"},
        "a larger cache": {"cacheClusterSize": "1.6"},
        "no cache": {"cacheClusterEnabled": None, "cacheClusterSize": None},
        "not traced": {"tracingEnabled": None},
        "other variables": {"variables": {"b": "3", "c": "4"}},
        "no variables": {"variables": None},
        "other tags": {"tags": {"b": "3", "c": "4"}},
    },
    lacks={"ministack": {"other tags": _TAGS}},
)

CASES: tuple[Case, ...] = (REST_API, RESOURCE, METHOD, INTEGRATION, DEPLOYMENT, STAGE)

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.manifests.model import Json
from understudy.reconcile.services import rest_methods

PLACE: dict[str, Json] = {"restAPIID": "api1", "resourceID": "r1", "httpMethod": "ANY"}
METHOD: dict[str, Json] = {**PLACE, "authorizationType": "NONE"}
INTEGRATION: dict[str, Json] = {
    **PLACE,
    "type": "HTTP_PROXY",
    "integrationHTTPMethod": "POST",
    "uri": "https://a.example/{proxy}",
}
WHERE = {"restApiId": "api1", "resourceId": "r1", "httpMethod": "ANY"}
ABSENT = Refusal(code="NotFoundException", status=404)


def test_absent_method_is_created() -> None:
    fake = ScriptedAws({"GetMethod": ABSENT})
    assert reconcile(fake.aws, desired("Method/m", METHOD)) == "create"
    assert fake.params("PutMethod") == {**WHERE, "authorizationType": "NONE", "apiKeyRequired": False}


def test_method_as_it_should_be_is_left_alone() -> None:
    there = {"httpMethod": "ANY", "authorizationType": "NONE", "apiKeyRequired": False, "methodResponses": {}}
    fake = ScriptedAws({"GetMethod": there})
    assert reconcile(fake.aws, desired("Method/m", METHOD)) == "unchanged"


def test_what_guards_a_method_is_patched() -> None:
    there = {
        "httpMethod": "ANY",
        "authorizationType": "NONE",
        "authorizationScopes": ["a", "b"],
        "requestModels": {"application/json": "Empty"},
    }
    fake = ScriptedAws({"GetMethod": there})
    guarded: dict[str, Json] = {
        **METHOD,
        "authorizationType": "COGNITO_USER_POOLS",
        "authorizationScopes": ["b", "c"],
        "authorizerID": "a1",
        "requestValidatorID": "v1",
    }
    assert reconcile(fake.aws, desired("Method/m", guarded)) == "update"
    assert fake.params("UpdateMethod") == {
        **WHERE,
        "patchOperations": [
            {"op": "remove", "path": "/authorizationScopes", "value": "a"},
            {"op": "add", "path": "/authorizationScopes", "value": "c"},
            {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
            {"op": "replace", "path": "/authorizerId", "value": "a1"},
            {"op": "remove", "path": "/requestModels/application~1json"},
            {"op": "replace", "path": "/requestValidatorId", "value": "v1"},
        ],
    }


def test_method_that_is_gone_may_be_deleted() -> None:
    fake = ScriptedAws({"DeleteMethod": ABSENT})
    rest_methods.MethodManager().delete(fake.aws, observed("Method/m", METHOD, **PLACE))
    assert fake.params("DeleteMethod") == WHERE


def test_absent_integration_is_created() -> None:
    fake = ScriptedAws({"GetIntegration": ABSENT})
    assert reconcile(fake.aws, desired("RestIntegration/i", INTEGRATION)) == "create"
    assert fake.params("PutIntegration") == {
        **WHERE,
        "type": "HTTP_PROXY",
        "integrationHttpMethod": "POST",
        "uri": "https://a.example/{proxy}",
    }


def test_answer_without_a_type_is_no_integration() -> None:
    fake = ScriptedAws({"GetIntegration": {}})
    assert reconcile(fake.aws, desired("RestIntegration/i", INTEGRATION)) == "create"


def test_private_integration_is_patched() -> None:
    there = {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://a.example/{proxy}"}
    fake = ScriptedAws({"GetIntegration": there})
    private: dict[str, Json] = {
        **INTEGRATION,
        "connectionType": "VPC_LINK",
        "connectionID": "link1",
        "cacheNamespace": "shared",
        "cacheKeyParameters": ["method.request.path.proxy"],
        "timeoutInMillis": 1000,
        "tlsConfig": {"insecureSkipVerification": True},
        "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
    }
    assert reconcile(fake.aws, desired("RestIntegration/i", private)) == "update"
    assert fake.params("UpdateIntegration")["patchOperations"] == [
        {"op": "add", "path": "/cacheKeyParameters/method.request.path.proxy"},
        {"op": "replace", "path": "/cacheNamespace", "value": "shared"},
        {"op": "replace", "path": "/connectionId", "value": "link1"},
        {"op": "replace", "path": "/connectionType", "value": "VPC_LINK"},
        {"op": "replace", "path": "/httpMethod", "value": "POST"},
        {
            "op": "add",
            "path": "/requestParameters/integration.request.path.proxy",
            "value": "method.request.path.proxy",
        },
        {"op": "replace", "path": "/timeoutInMillis", "value": "1000"},
        {"op": "replace", "path": "/tlsConfig/insecureSkipVerification", "value": "true"},
    ]


def test_integration_that_is_gone_may_be_deleted() -> None:
    fake = ScriptedAws({"DeleteIntegration": ABSENT})
    manager = rest_methods.RestIntegrationManager()
    manager.delete(fake.aws, observed("RestIntegration/i", INTEGRATION, **PLACE))
    assert fake.params("DeleteIntegration") == WHERE

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests import ownership
from understudy.manifests.model import Json
from understudy.reconcile.services import apigatewayv2, apigatewayv2_routes

MISSING = Refusal(code="NotFoundException", status=404)
API: dict[str, Json] = {"name": "web", "protocolType": "HTTP", "tags": {"a": "b"}}


def api(number: int, **changed: object) -> dict[str, object]:
    return {
        "ApiId": f"api{number}",
        "ApiEndpoint": "https://x",
        "Name": "web",
        "ProtocolType": "HTTP",
        "Tags": {"a": "b"},
        **changed,
    }


OURS = {"a": "b", ownership.STACK: "shop", ownership.RESOURCE: "API.handle"}
THEIRS = {ownership.STACK: "other", ownership.RESOURCE: "API.handle"}


def found(*items: dict[str, object]) -> str | None:
    manager = apigatewayv2.ApiManager()
    observed = manager.observe(
        ScriptedAws({"GetApis": {"Items": list(items)}}).aws, desired("API/handle", {**API, "tags": OURS})
    )
    return observed.status["apiID"] if observed else None


def test_api_is_found_by_its_name() -> None:
    assert found(api(1, Name="other"), api(2)) == "api2"
    assert found(api(1, Name="other")) is None


def test_api_is_found_by_our_tag_among_others_of_its_name() -> None:
    assert found(api(1), api(2, Tags=OURS)) == "api2"


def test_renamed_api_is_found_by_our_tag() -> None:
    assert found(api(1, Name="old", Tags=OURS)) == "api1"


def test_api_of_another_stack_is_not_ours_though_it_has_the_name() -> None:
    assert found(api(1, Tags=THEIRS)) is None
    assert found(api(1, Tags=THEIRS), api(2)) == "api2"


def test_api_that_could_be_several_is_an_error() -> None:
    with pytest.raises(UnderstudyError, match="any of the APIs api1, api2"):
        found(api(1), api(2))


def test_absent_api_is_created_with_our_tag() -> None:
    fake = ScriptedAws({"GetApis": {"Items": []}, "CreateApi": {"ApiId": "a1"}})
    assert reconcile(fake.aws, desired("API/handle", {**API, "tags": OURS})) == "create"
    assert fake.params("CreateApi")["Tags"] == OURS


def test_our_tag_is_no_difference() -> None:
    fake = ScriptedAws({"GetApis": {"Items": [api(1, Tags=OURS)]}})
    assert reconcile(fake.aws, desired("API/handle", API)) == "unchanged"


def test_changed_api_is_written_without_its_tags() -> None:
    fake = ScriptedAws({"GetApis": {"Items": [api(1)]}})
    assert (
        reconcile(fake.aws, desired("API/handle", {**API, "description": "x", "tags": {"c": "d"}}))
        == "update"
    )
    assert fake.writes == ["UpdateApi", "TagResource", "UntagResource"]
    assert fake.params("UpdateApi") == {"ApiId": "api1", "Description": "x"}
    assert fake.params("TagResource")["ResourceArn"] == "arn:aws:apigateway:us-east-1::/apis/api1"


STAGE: dict[str, Json] = {"apiID": "api1", "stageName": "$default", "autoDeploy": True, "tags": {"a": "b"}}


def test_stage_is_found_by_its_name() -> None:
    stage = {"StageName": "$default", "AutoDeploy": False, "Tags": {"a": "x"}}
    fake = ScriptedAws({"GetStage": [MISSING, stage]})
    assert reconcile(fake.aws, desired("Stage/s", STAGE)) == "create"
    assert reconcile(fake.aws, desired("Stage/s", STAGE)) == "update"
    assert fake.writes == ["CreateStage", "UpdateStage", "TagResource"]
    assert fake.params("TagResource")["ResourceArn"].endswith("::/apis/api1/stages/$default")


DEPLOYMENT: dict[str, Json] = {"apiID": "api1", "description": "first"}


def test_deployment_is_found_by_its_description_and_never_changes() -> None:
    items = [{"DeploymentId": "d1", "Description": "first"}]
    fake = ScriptedAws({"GetDeployments": [{"Items": []}, {"Items": items}], "CreateDeployment": items[0]})
    verbs = [reconcile(fake.aws, desired("Deployment/d", DEPLOYMENT)) for _ in range(2)]
    assert verbs == ["create", "unchanged"]
    there = observed("Deployment/d", DEPLOYMENT)
    with pytest.raises(UnderstudyError):
        apigatewayv2.DeploymentManager().update(fake.aws, desired("Deployment/d", DEPLOYMENT), there, [])


@pytest.mark.parametrize(
    ("manager", "status", "operation"),
    [
        (apigatewayv2.ApiManager(), {}, "DeleteApi"),
        (apigatewayv2_routes.IntegrationManager(), {"integrationID": "i"}, "DeleteIntegration"),
        (apigatewayv2_routes.RouteManager(), {"routeID": "r"}, "DeleteRoute"),
        (apigatewayv2.StageManager(), {"stageName": "s"}, "DeleteStage"),
        (apigatewayv2.DeploymentManager(), {"deploymentID": "d"}, "DeleteDeployment"),
    ],
    ids=["api", "integration", "route", "stage", "deployment"],
)
def test_what_is_gone_already_is_deleted(
    manager: apigatewayv2.ApiManager, status: dict[str, str], operation: str
) -> None:
    fake = ScriptedAws({operation: MISSING})
    manager.delete(fake.aws, observed("API/a", {}, apiID="api1", **status))
    assert fake.writes == [operation]


def test_settings_of_an_api_are_written() -> None:
    settings: dict[str, Json] = {
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "disableSchemaValidation": True,
        "routeSelectionExpression": "$request.method $request.path",
    }
    fake = ScriptedAws({"GetApis": {"Items": [api(1)]}})
    assert reconcile(fake.aws, desired("API/handle", {**API, **settings})) == "update"
    assert fake.params("UpdateApi") == {
        "ApiId": "api1",
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "DisableSchemaValidation": True,
        "RouteSelectionExpression": "$request.method $request.path",
    }


def test_cors_that_was_left_out_goes_away() -> None:
    fake = ScriptedAws({"GetApis": {"Items": [api(1, CorsConfiguration={"AllowOrigins": ["*"]})]}})
    assert reconcile(fake.aws, desired("API/handle", API)) == "update"
    assert fake.writes == ["DeleteCorsConfiguration"]


def test_what_a_stage_loses_has_operations_of_its_own() -> None:
    there = {
        "StageName": "live",
        "AccessLogSettings": {"DestinationArn": "arn:l", "Format": "x"},
        "RouteSettings": {"GET /a": {"ThrottlingBurstLimit": 1}, "GET /b": {"ThrottlingBurstLimit": 1}},
        "StageVariables": {"a": "1"},
    }
    fake = ScriptedAws({"GetStage": there})
    spec: dict[str, Json] = {"apiID": "api1", "stageName": "live"}
    wanted = desired("Stage/s", {**spec, "routeSettings": {"GET /a": {"throttlingBurstLimit": 1}}})
    assert reconcile(fake.aws, wanted) == "update"
    assert fake.writes == ["UpdateStage", "DeleteAccessLogSettings", "DeleteRouteSettings"]
    assert fake.params("UpdateStage")["StageVariables"] == {"a": ""}
    assert fake.params("DeleteRouteSettings")["RouteKey"] == "GET /b"


def test_deployment_can_go_live_at_once() -> None:
    fake = ScriptedAws({"GetDeployments": {"Items": []}, "CreateDeployment": {"DeploymentId": "d"}})
    spec: dict[str, Json] = {"apiID": "api1", "description": "one", "stageName": "live"}
    assert reconcile(fake.aws, desired("Deployment/d", spec)) == "create"
    assert fake.params("CreateDeployment")["StageName"] == "live"

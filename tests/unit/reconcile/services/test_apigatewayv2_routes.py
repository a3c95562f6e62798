import pytest

from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import desired, reconcile
from understudy.manifests.model import Json
from understudy.reconcile.services import apigatewayv2_routes

INTEGRATION: dict[str, Json] = {
    "apiID": "api1",
    "integrationType": "AWS_PROXY",
    "integrationURI": "arn:live",
    "description": "d",
    "payloadFormatVersion": "2.0",
}


def integration(number: int, uri: str = "arn:live", description: str = "d") -> dict[str, object]:
    return {
        "IntegrationId": f"i{number}",
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": uri,
        "Description": description,
        "PayloadFormatVersion": "2.0",
    }


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([integration(1, uri="arn:x"), integration(2)], "i2"),
        ([integration(1, uri="arn:x")], "i1"),
        ([integration(1, description="other")], "i1"),
        ([integration(1, uri="arn:x", description="other")], None),
        ([integration(2), integration(1)], "i1"),
        ([{**integration(1), "IntegrationType": "HTTP_PROXY"}], None),
    ],
    ids=["exact", "moved", "renamed", "another", "twins", "type"],
)
def test_integration_is_found_by_what_it_says(items: list[dict[str, object]], expected: str | None) -> None:
    manager = apigatewayv2_routes.IntegrationManager()
    fake = ScriptedAws({"GetIntegrations": {"Items": items}})
    observed = manager.observe(fake.aws, desired("Integration/i", INTEGRATION))
    assert (observed.status["integrationID"] if observed else None) == expected


def test_integration_that_moved_is_updated() -> None:
    fake = ScriptedAws({"GetIntegrations": {"Items": [integration(1, uri="arn:x")]}})
    assert reconcile(fake.aws, desired("Integration/i", INTEGRATION)) == "update"
    assert fake.params("UpdateIntegration") == {
        "ApiId": "api1",
        "IntegrationId": "i1",
        "IntegrationUri": "arn:live",
    }


ROUTE: dict[str, Json] = {"apiID": "api1", "routeKey": "$default", "target": "integrations/i1"}


def test_route_is_found_by_its_key() -> None:
    routes = [
        {"RouteId": "r1", "RouteKey": "GET /x"},
        {"RouteId": "r2", "RouteKey": "$default", "Target": "integrations/i0"},
    ]
    fake = ScriptedAws({"GetRoutes": {"Items": routes}})
    assert reconcile(fake.aws, desired("Route/r", ROUTE)) == "update"
    assert fake.params("UpdateRoute") == {"ApiId": "api1", "RouteId": "r2", "Target": "integrations/i1"}


def test_private_integration_is_written_whole() -> None:
    fake = ScriptedAws({"GetIntegrations": {"Items": []}, "CreateIntegration": {"IntegrationId": "i"}})
    spec: dict[str, Json] = {
        "apiID": "api1",
        "connectionID": "vpclink",
        "connectionType": "VPC_LINK",
        "integrationSubtype": "SQS-SendMessage",
        "integrationType": "AWS_PROXY",
    }
    assert reconcile(fake.aws, desired("Integration/i", spec)) == "create"
    assert fake.params("CreateIntegration") == {
        "ApiId": "api1",
        "ConnectionId": "vpclink",
        "ConnectionType": "VPC_LINK",
        "IntegrationSubtype": "SQS-SendMessage",
        "IntegrationType": "AWS_PROXY",
    }


def test_parameters_that_go_are_set_to_nothing() -> None:
    there = {
        "IntegrationId": "i",
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": "https://a",
        "RequestParameters": {"append:header.a": "1", "append:header.b": "2", "append:header.gone": ""},
        "ResponseParameters": {"200": {"append:header.c": "3"}},
        "TlsConfig": {"ServerNameToVerify": "a"},
        "CredentialsArn": "arn:aws:iam::1:role/r",
    }
    fake = ScriptedAws({"GetIntegrations": {"Items": [there]}})
    spec: dict[str, Json] = {
        "apiID": "api1",
        "integrationType": "HTTP_PROXY",
        "integrationURI": "https://a",
        "requestParameters": {"append:header.a": "1"},
    }
    assert reconcile(fake.aws, desired("Integration/i", spec)) == "update"
    assert fake.params("UpdateIntegration") == {
        "ApiId": "api1",
        "IntegrationId": "i",
        "CredentialsArn": "",
        "RequestParameters": {"append:header.a": "1", "append:header.b": ""},
        "ResponseParameters": {"200": {}},
        "TlsConfig": {"ServerNameToVerify": ""},
    }


def test_route_that_is_open_again_names_no_authorizer() -> None:
    guarded = {
        "RouteId": "r",
        "RouteKey": "GET /",
        "AuthorizationType": "JWT",
        "AuthorizerId": "a",
        "AuthorizationScopes": ["s"],
    }
    left = {**guarded, "AuthorizationType": "NONE"}
    fake = ScriptedAws({"GetRoutes": [{"Items": [guarded]}, {"Items": [left]}]})
    spec: dict[str, Json] = {"apiID": "api1", "routeKey": "GET /"}
    assert reconcile(fake.aws, desired("Route/r", spec)) == "update"
    assert fake.params("UpdateRoute") == {
        "ApiId": "api1",
        "RouteId": "r",
        "AuthorizationScopes": [],
        "AuthorizationType": "NONE",
    }
    assert reconcile(fake.aws, desired("Route/r", spec)) == "unchanged"

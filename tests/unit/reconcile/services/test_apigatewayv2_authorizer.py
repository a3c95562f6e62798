from tests.fakes.aws import ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.manifests.model import Json
from understudy.reconcile.services import apigatewayv2_authorizer

SPEC: dict[str, Json] = {
    "apiID": "api1",
    "name": "people",
    "authorizerType": "JWT",
    "identitySource": ["$request.header.Authorization"],
    "jwtConfiguration": {"audience": ["web", "app"], "issuer": "https://idp.example"},
}
THERE = {
    "AuthorizerId": "a1",
    "Name": "people",
    "AuthorizerType": "JWT",
    "IdentitySource": ["$request.header.Authorization"],
    "JwtConfiguration": {"Audience": ["app", "web"], "Issuer": "https://idp.example"},
}


def listed(*items: dict[str, object]) -> dict[str, object]:
    return {"GetAuthorizers": {"Items": list(items)}}


def test_absent_authorizer_is_created() -> None:
    fake = ScriptedAws({**listed({**THERE, "Name": "other"}), "CreateAuthorizer": {"AuthorizerId": "a2"}})
    assert reconcile(fake.aws, desired("Authorizer/a", SPEC)) == "create"
    assert fake.params("CreateAuthorizer")["JwtConfiguration"]["Issuer"] == "https://idp.example"


def test_audience_is_a_set() -> None:
    assert reconcile(ScriptedAws(listed(THERE)).aws, desired("Authorizer/a", SPEC)) == "unchanged"


def test_what_differs_is_written_whole() -> None:
    fake = ScriptedAws(listed({**THERE, "AuthorizerCredentialsArn": "arn:r"}))
    jwt: Json = {"audience": ["web"], "issuer": "https://new.example"}
    assert reconcile(fake.aws, desired("Authorizer/a", {**SPEC, "jwtConfiguration": jwt})) == "update"
    assert fake.params("UpdateAuthorizer") == {
        "ApiId": "api1",
        "AuthorizerId": "a1",
        "AuthorizerCredentialsArn": "",
        "JwtConfiguration": {"Audience": ["web"], "Issuer": "https://new.example"},
    }


def test_delete_names_the_authorizer() -> None:
    fake = ScriptedAws()
    manager = apigatewayv2_authorizer.AuthorizerManager()
    manager.delete(fake.aws, observed("Authorizer/a", SPEC, apiID="api1", authorizerID="a1"))
    assert fake.params("DeleteAuthorizer") == {"ApiId": "api1", "AuthorizerId": "a1"}

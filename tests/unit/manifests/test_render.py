import dataclasses

import pytest

from tests.unit.manifests.stacks import CONTEXT, DIGEST, document, stack
from understudy.manifests import kinds, printed, render
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import DesiredResource, ResourceKey, Stack

ROLE = document("Role", "role", "{name: r, path: /app/, assumeRolePolicyDocument: '{}'}")
FUNCTION = document(
    "Function", "fn", "{name: f, code: {imageURI: '${image.app}'}, roleRef: {from: {name: role}}}"
)
VERSION = document(
    "Version", "v", "{functionRef: {from: {name: fn}}}", '{understudy.dev/auto-publish: "true", a: b}'
)
ALIAS = document(
    "Alias",
    "live",
    "{name: live, functionRef: {from: {name: fn}}, functionVersion: '${Version.v.version}', permissions: "
    "[{statementID: s, action: a, principal: p, "
    "sourceARN: 'arn:${partition}:x:${region}:${account}:${API.api.apiID}/*'}]}",
)
API = document("API", "api", "{name: api, protocolType: HTTP}", "{services.k8s.aws/deletion-policy: retain}")
INTEGRATION = document(
    "Integration",
    "i",
    "{apiRef: {from: {name: api}}, integrationType: AWS_PROXY, integrationURI: '${Alias.live.arn}'}",
)
ROUTE = document(
    "Route", "r", "{apiRef: {from: {name: api}}, routeKey: $default, targetRef: {from: {name: i}}}"
)


def everything() -> Stack:
    return stack(ROUTE, INTEGRATION, ALIAS, VERSION, FUNCTION, ROLE, API)


def one(kind: str, name: str) -> DesiredResource:
    found = everything().get(ResourceKey(kind, name))
    assert found is not None
    return found


def test_image_is_the_repository_s_uri_and_a_digest() -> None:
    assert one("Function", "fn").spec["code"] == {"imageURI": f"${{Repository.repo.repositoryURI}}@{DIGEST}"}
    assert ResourceKey("Image", "app") in one("Function", "fn").dependencies


def test_role_reference_is_an_arn_with_the_path() -> None:
    assert one("Function", "fn").spec["role"] == "arn:aws:iam::111122223333:role/app/r"


def test_arn_of_an_alias_holds_the_function() -> None:
    assert (
        one("Integration", "i").spec["integrationURI"]
        == "arn:aws:lambda:eu-west-1:111122223333:function:f:live"
    )


def test_what_aws_chooses_stays_a_placeholder() -> None:
    assert one("Alias", "live").spec["functionVersion"] == "${Version.v.version}"
    assert one("Route", "r").spec["target"] == "integrations/${Integration.i.integrationID}"


def test_facts_are_filled_in() -> None:
    permissions = one("Alias", "live").spec["permissions"]
    assert isinstance(permissions, list)
    assert permissions[0]["sourceARN"] == "arn:aws:x:eu-west-1:111122223333:${API.api.apiID}/*"


def test_order_respects_references_and_placeholders() -> None:
    order = [str(resource.key) for resource in everything()]
    for before, after in [
        ("Repository/repo", "Function/fn"),
        ("Role/role", "Function/fn"),
        ("Function/fn", "Version/v"),
        ("Version/v", "Alias/live"),
        ("API/api", "Alias/live"),
        ("Alias/live", "Integration/i"),
        ("Integration/i", "Route/r"),
    ]:
        assert order.index(before) < order.index(after)


def test_annotations_become_facts() -> None:
    assert one("Version", "v").auto_publish
    assert one("API", "api").retain
    assert not one("Role", "role").retain


def test_filled_replaces_what_is_known_everywhere() -> None:
    found = render.filled(
        one("Alias", "live"), lambda reference: "7" if reference.field == "version" else None
    )
    assert found.spec["functionVersion"] == "7"
    spec = found.document["spec"]
    assert isinstance(spec, dict)
    assert spec["functionVersion"] == "7"
    assert "${API.api.apiID}" in str(spec["permissions"])


REST = (
    document("RestAPI", "api", "{name: rest}"),
    document(
        "Method",
        "any",
        "{restAPIRef: {from: {name: api}}, resourceID: '${RestAPI.api.rootResourceID}', "
        "httpMethod: ANY, authorizationType: NONE}",
    ),
    document(
        "RestIntegration",
        "any",
        "{restAPIRef: {from: {name: api}}, "
        "resourceID: '${RestAPI.api.rootResourceID}', httpMethod: ANY, type: MOCK, timeoutInMillis: 29000}",
    ),
    document(
        "RestStage",
        "live",
        "{restAPIRef: {from: {name: api}}, stageName: live, deploymentRef: {from: {name: d}}}",
    ),
    document(
        "RestDeployment",
        "d",
        "{restAPIRef: {from: {name: api}}, description: dashboard}",
        "{understudy.dev/auto-deploy: 'true'}",
    ),
)


def test_snapshot_of_an_api_comes_after_everything_in_it() -> None:
    order = [str(resource.key) for resource in stack(*reversed(REST))]
    assert order.index("Method/any") < order.index("RestIntegration/any") < order.index("RestDeployment/d")
    assert order.index("RestDeployment/d") < order.index("RestStage/live")


def test_snapshot_that_follows_its_api_has_a_description_and_a_name_per_release() -> None:
    changed = [text.replace("29000", "1000") for text in REST]
    first, second = (next(iter(stack(*texts).of_kind("RestDeployment"))) for texts in (REST, changed))
    assert first.spec["description"] == f"dashboard {first.release}"
    assert first.release != second.release
    documents = printed.documents(stack(*REST))
    found = {(str(one["apiVersion"]), str(one["kind"])): one for one in documents}
    group = kinds.KINDS["RestStage"].api_version
    assert found[group, "Deployment"]["metadata"] == {"name": f"d-{first.release}"}
    reference = found[group, "Stage"]["spec"]["deploymentRef"]  # type: ignore[call-overload,index]
    assert reference == {"from": {"name": f"d-{first.release}"}}


def test_references_in_a_circle_are_an_error() -> None:
    first = document("Table", "a", "{tableName: '${Table.b.name}x', attributeDefinitions: [], keySchema: []}")
    second = document(
        "Table",
        "b",
        "{tableName: t, attributeDefinitions: [], keySchema: [], resourcePolicy: '${Table.a.arn}'}",
    )
    with pytest.raises(ManifestError, match="wait for each other"):
        stack(first, second)


def test_same_input_renders_the_same_stack() -> None:
    assert everything() == everything()
    assert CONTEXT.partition == "aws"


def test_a_project_tags_what_stands_alone() -> None:
    context = dataclasses.replace(CONTEXT, project="shop")
    found = stack(ALIAS, VERSION, FUNCTION, ROLE, API, context=context)
    tagged = {one.key.kind for one in found if "tags" in one.spec}
    assert tagged == {"Role", "Function", "API", "Repository"}
    api = found.get(ResourceKey("API", "api"))
    assert api is not None
    assert api.spec["tags"] == {
        "understudy.dev/stack": "shop",
        "understudy.dev/resource": "API.api",
        "understudy.dev/retain": "true",
    }
    assert "tags" not in str(api.document)


def test_invoke_mode_of_a_url_is_desired_and_not_printed() -> None:
    url = document(
        "FunctionURLConfig",
        "u",
        "{functionRef: {from: {name: fn}}, authType: NONE}",
        "{understudy.dev/invoke-mode: RESPONSE_STREAM}",
    )
    found = stack(FUNCTION, ROLE, url)
    key = ResourceKey("FunctionURLConfig", "u")
    resource = found.get(key)
    assert resource is not None
    assert resource.spec["invokeMode"] == "RESPONSE_STREAM"
    shown = next(item for item in printed.documents(found) if item["kind"] == "FunctionURLConfig")
    assert "RESPONSE_STREAM" not in str(shown)

import json

import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, observed, reconcile
from understudy.errors import UnderstudyError
from understudy.manifests.model import Json
from understudy.reconcile.services import rest_apis

ABSENT = Refusal(code="NotFoundException", status=404)
API = {"id": "api1", "name": "web", "rootResourceId": "root"}
RESOURCE: dict[str, Json] = {"restAPIID": "api1", "parentID": "root", "pathPart": "items"}
DEPLOYMENT: dict[str, Json] = {"restAPIID": "api1", "description": "one"}
STAGE: dict[str, Json] = {"restAPIID": "api1", "stageName": "live", "deploymentID": "d1"}


def test_absent_api_is_created_with_its_tags() -> None:
    fake = ScriptedAws(
        {"GetRestApis": {"items": [{**API, "name": "other"}]}, "CreateRestApi": {"id": "api2"}}
    )
    tags: Json = {"understudy.dev/stack": "p", "understudy.dev/resource": "RestAPI.a"}
    assert reconcile(fake.aws, desired("RestAPI/a", {"name": "web", "tags": tags})) == "create"
    assert fake.params("CreateRestApi") == {"name": "web", "disableExecuteApiEndpoint": False, "tags": tags}


def test_api_tells_its_id_and_that_of_its_root() -> None:
    fake = ScriptedAws({"GetRestApis": {"items": [API]}})
    found = rest_apis.RestApiManager().observe(fake.aws, desired("RestAPI/a", {"name": "web"}))
    assert found is not None
    assert found.status == {"id": "api1", "rootResourceID": "root"}


def test_root_is_looked_up_where_the_answer_leaves_it_out() -> None:
    listed = {"items": [{"id": "r1", "path": "/items"}, {"id": "r0", "path": "/"}]}
    fake = ScriptedAws({"GetRestApis": {"items": [{"id": "api1", "name": "web"}]}, "GetResources": listed})
    found = rest_apis.RestApiManager().observe(fake.aws, desired("RestAPI/a", {"name": "web"}))
    assert found is not None
    assert found.status["rootResourceID"] == "r0"


def test_two_apis_of_one_name_are_an_error() -> None:
    fake = ScriptedAws({"GetRestApis": {"items": [API, {**API, "id": "api2"}]}})
    with pytest.raises(UnderstudyError, match="RestAPI/a could be any of the APIs api1, api2"):
        rest_apis.RestApiManager().observe(fake.aws, desired("RestAPI/a", {"name": "web"}))


def test_rival_is_another_api_of_that_name() -> None:
    manager, wanted = rest_apis.RestApiManager(), desired("RestAPI/a", {"name": "web"})
    alone = ScriptedAws({"GetRestApis": {"items": [API]}})
    assert not manager.rivals(alone.aws, wanted, {"id": "api1"})
    assert manager.rivals(alone.aws, wanted, {"id": "api2"})


@pytest.mark.parametrize("shape", [lambda text: text, lambda text: json.dumps(text)[1:-1]])
def test_policy_is_compared_as_it_was_written(shape: object) -> None:
    assert callable(shape)
    written = '{"Resource": "execute-api:/live/*"}'
    told = shape('{"Resource": "arn:aws:execute-api:eu-west-1:123456789012:api1/live/*"}')
    fake = ScriptedAws({"GetRestApis": {"items": [{**API, "policy": told}]}})
    assert reconcile(fake.aws, desired("RestAPI/a", {"name": "web", "policy": written})) == "unchanged"


def test_changes_of_an_api_are_one_patch_and_its_tags() -> None:
    there = {**API, "description": "old", "policy": "{}", "tags": {"a": "1", "b": "2"}}
    fake = ScriptedAws({"GetRestApis": {"items": [there]}})
    spec: dict[str, Json] = {"name": "web", "description": "new", "tags": {"a": "3"}}
    assert reconcile(fake.aws, desired("RestAPI/a", spec)) == "update"
    assert fake.params("UpdateRestApi") == {
        "restApiId": "api1",
        "patchOperations": [
            {"op": "replace", "path": "/description", "value": "new"},
            {"op": "replace", "path": "/policy", "value": ""},
        ],
    }
    arn = "arn:aws:apigateway:us-east-1::/restapis/api1"
    assert fake.params("TagResource") == {"resourceArn": arn, "tags": {"a": "3"}}
    assert fake.params("UntagResource") == {"resourceArn": arn, "tagKeys": ["b"]}


def test_resource_is_found_by_parent_and_path_part() -> None:
    listed = [
        {"id": "root", "path": "/"},
        {"id": "r1", "parentId": "r9", "pathPart": "items"},
        {"id": "r2", "parentId": "root", "pathPart": "items"},
    ]
    fake = ScriptedAws({"GetResources": {"items": listed}})
    found = rest_apis.ResourcePathManager().observe(fake.aws, desired("Resource/r", RESOURCE))
    assert found is not None
    assert found.status == {"id": "r2", "restAPIID": "api1"}
    assert reconcile(fake.aws, desired("Resource/r", RESOURCE)) == "unchanged"


def test_absent_resource_is_created() -> None:
    fake = ScriptedAws({"GetResources": {"items": []}, "CreateResource": {"id": "r3"}})
    assert reconcile(fake.aws, desired("Resource/r", RESOURCE)) == "create"
    assert fake.params("CreateResource") == {"restApiId": "api1", "parentId": "root", "pathPart": "items"}


def test_deployment_is_found_by_its_description() -> None:
    listed = {"items": [{"id": "d1", "description": "other"}, {"id": "d2", "description": "one"}]}
    fake = ScriptedAws({"GetDeployments": listed})
    wanted = desired("RestDeployment/d", DEPLOYMENT)
    found = rest_apis.RestDeploymentManager().observe(fake.aws, wanted)
    assert found is not None
    assert found.status == {"id": "d2", "restAPIID": "api1"}
    assert reconcile(fake.aws, wanted) == "unchanged"


def test_absent_deployment_is_created() -> None:
    fake = ScriptedAws({"GetDeployments": {"items": []}, "CreateDeployment": {"id": "d3"}})
    assert reconcile(fake.aws, desired("RestDeployment/d", DEPLOYMENT)) == "create"
    assert fake.params("CreateDeployment") == {"restApiId": "api1", "description": "one"}


def test_rival_is_another_deployment_of_that_description() -> None:
    manager, wanted = rest_apis.RestDeploymentManager(), desired("RestDeployment/d", DEPLOYMENT)
    fake = ScriptedAws({"GetDeployments": {"items": [{"id": "d1", "description": "one"}]}})
    assert not manager.rivals(fake.aws, wanted, {"id": "d1"})
    assert manager.rivals(fake.aws, wanted, {"id": "d2"})


def test_absent_stage_is_created() -> None:
    fake = ScriptedAws({"GetStage": ABSENT})
    assert reconcile(fake.aws, desired("RestStage/s", STAGE)) == "create"
    assert fake.params("CreateStage")["deploymentId"] == "d1"


def test_stage_is_moved_to_another_deployment() -> None:
    fake = ScriptedAws({"GetStage": {"stageName": "live", "deploymentId": "d0", "variables": {"a": "1"}}})
    assert reconcile(fake.aws, desired("RestStage/s", STAGE)) == "update"
    assert fake.params("UpdateStage") == {
        "restApiId": "api1",
        "stageName": "live",
        "patchOperations": [
            {"op": "replace", "path": "/deploymentId", "value": "d1"},
            {"op": "remove", "path": "/variables/a"},
        ],
    }


def test_tags_of_a_stage_alone_need_no_patch() -> None:
    fake = ScriptedAws({"GetStage": {"stageName": "live", "deploymentId": "d1"}})
    assert reconcile(fake.aws, desired("RestStage/s", {**STAGE, "tags": {"a": "1"}})) == "update"
    assert fake.writes == ["TagResource"]


@pytest.mark.parametrize(
    ("manager", "name", "status", "operation"),
    [
        (rest_apis.RestApiManager(), "RestAPI/a", {"id": "api1"}, "DeleteRestApi"),
        (rest_apis.ResourcePathManager(), "Resource/r", {"restAPIID": "api1", "id": "r1"}, "DeleteResource"),
        (
            rest_apis.RestDeploymentManager(),
            "RestDeployment/d",
            {"restAPIID": "api1", "id": "d1"},
            "DeleteDeployment",
        ),
        (
            rest_apis.RestStageManager(),
            "RestStage/s",
            {"restAPIID": "api1", "stageName": "live"},
            "DeleteStage",
        ),
    ],
)
def test_what_is_gone_already_may_be_deleted(
    manager: rest_apis.ResourceManager, name: str, status: dict[str, str], operation: str
) -> None:
    fake = ScriptedAws({operation: ABSENT})
    manager.delete(fake.aws, observed(name, {}, **status))
    assert fake.writes == [operation]


@pytest.mark.parametrize(
    ("manager", "name", "spec"),
    [
        (rest_apis.ResourcePathManager(), "Resource/r", RESOURCE),
        (rest_apis.RestDeploymentManager(), "RestDeployment/d", DEPLOYMENT),
    ],
)
def test_what_cannot_change_says_how_to_get_a_new_one(
    manager: rest_apis.ResourceManager, name: str, spec: dict[str, Json]
) -> None:
    with pytest.raises(UnderstudyError, match="cannot change"):
        manager.update(ScriptedAws().aws, desired(name, spec), observed(name, spec), ())

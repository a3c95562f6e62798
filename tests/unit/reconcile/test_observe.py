import pytest

from tests.fakes.aws import Refusal, ScriptedAws
from tests.unit.reconcile.builders import desired, key, observed
from understudy.errors import UnderstudyError
from understudy.manifests.model import ImageBinding, Json, Stack
from understudy.reconcile import observe
from understudy.reconcile.errors import AwsError

DIGEST = f"sha256:{'a' * 64}"
API = desired("API/a", {"name": "a", "protocolType": "HTTP"})
ROUTE = desired("Route/r", {"apiID": "${API.a.apiID}", "routeKey": "$default"}, "API/a")
FOUND = {"Items": [{"ApiId": "x1", "Name": "a", "ProtocolType": "HTTP"}]}


def test_what_hangs_below_is_looked_up_with_the_id_that_was_found() -> None:
    routes = {"Items": [{"RouteId": "r1", "RouteKey": "$default"}]}
    fake = ScriptedAws({"GetApis": FOUND, "GetRoutes": routes})
    found = observe.observe(Stack(resources=(API, ROUTE)), fake.aws)
    assert fake.params("GetRoutes") == {"ApiId": "x1"}
    route = found.get(key("Route/r"))
    assert route is not None
    assert route.status == {"routeID": "r1", "apiID": "x1"}


def test_what_hangs_below_something_absent_is_absent_without_a_call() -> None:
    fake = ScriptedAws({"GetApis": {"Items": []}})
    assert observe.observe(Stack(resources=(API, ROUTE)), fake.aws).resources == {}
    assert [name for name, _ in fake.calls] == ["GetApis"]


def test_path_of_a_rest_api_is_looked_up_below_the_parent_that_was_found() -> None:
    api = desired("RestAPI/a", {"name": "a"})
    spec: dict[str, Json] = {
        "restAPIID": "${RestAPI.a.id}",
        "parentID": "${RestAPI.a.rootResourceID}",
        "pathPart": "one",
    }
    one = desired("Resource/one", spec, "RestAPI/a")
    two = desired(
        "Resource/two", {**spec, "parentID": "${Resource.one.id}", "pathPart": "two"}, "Resource/one"
    )
    apis = {"items": [{"id": "x1", "name": "a", "rootResourceId": "r0"}]}
    listed = [
        {"id": "r1", "parentId": "r0", "pathPart": "one"},
        {"id": "r2", "parentId": "r1", "pathPart": "two"},
    ]
    fake = ScriptedAws({"GetRestApis": apis, "GetResources": {"items": listed}})
    found = observe.observe(Stack(resources=(api, one, two)), fake.aws)
    assert [found.resources[resource.key].status["id"] for resource in (one, two)] == ["r1", "r2"]
    fake = ScriptedAws({"GetRestApis": apis, "GetResources": {"items": []}})
    assert observe.observe(Stack(resources=(api, one, two)), fake.aws).get(two.key) is None
    assert [name for name, _ in fake.calls] == ["GetRestApis", "GetResources"]


def test_image_is_there_with_the_tags_that_were_asked_for() -> None:
    details = {"imageDetails": [{"imageTags": ["latest", "other"]}]}
    fake = ScriptedAws(
        {"DescribeImages": details, "DescribeRepositories": Refusal(code="RepositoryNotFoundException")}
    )
    image = ImageBinding(name="app", repository="repo", digest=DIGEST, tags=("latest", "new"))
    stack = Stack(resources=(desired("Repository/repo", {"name": "aws-name"}),), images=(image,))
    found = observe.observe(stack, fake.aws).get(key("Image/app"))
    assert found is not None
    assert found.spec["tags"] == ["latest"]
    assert fake.params("DescribeImages")["repositoryName"] == "aws-name"


def test_image_without_a_repository_is_an_error() -> None:
    image = ImageBinding(name="app", repository="repo", digest=DIGEST)
    with pytest.raises(UnderstudyError, match="which the stack does not hold"):
        observe.observe(Stack(resources=(), images=(image,)), ScriptedAws().aws)


def test_refusal_is_raised_as_it_is() -> None:
    fake = ScriptedAws({"GetApis": Refusal(code="AccessDeniedException", status=403)})
    with pytest.raises(AwsError):
        observe.observe(Stack(resources=(API,)), fake.aws)


def test_fill_takes_values_from_status_and_unescapes_text() -> None:
    wanted = desired("Route/r", {"apiID": "${API.a.apiID}", "routeKey": "$${x}"}, "API/a")
    there = observed("API/a", {}, apiID="x1")
    assert observe.fill(wanted, {there.key: there}).spec == {"apiID": "x1", "routeKey": "${x}"}


def test_nothing_is_written() -> None:
    fake = ScriptedAws({"GetApis": FOUND, "GetRoutes": {"Items": []}})
    observe.observe(Stack(resources=(API, ROUTE)), fake.aws)
    assert fake.writes == []

import pytest

from tests.unit.reconcile.builders import desired, key
from understudy.manifests.model import DesiredResource, ImageBinding, Stack
from understudy.reconcile.rollout import subjects
from understudy.reconcile.rollout.model import Subject

DIGEST = f"sha256:{'a' * 64}"
IMAGE = ImageBinding(name="app", repository="r", digest=DIGEST)
WEB = desired("Function/web", {"name": "w"}, "Image/app")
WORKER = desired("Function/worker", {"name": "k"}, "Image/app")
OTHER = desired("Function/zip", {"name": "z"})
VERSION = desired("Version/web", {"functionName": "w"}, "Function/web", follow=True)
ALIAS = desired(
    "Alias/web-live",
    {"name": "live", "functionName": "w", "functionVersion": "${Version.web.version}"},
    "Function/web",
    "Version/web",
)
API = desired("API/a", {"name": "a"})
INTEGRATION = desired("Integration/i", {}, "API/a", "Alias/web-live")


def test_every_function_with_an_image_of_the_project_is_released() -> None:
    stack = Stack(resources=(WEB, WORKER, OTHER, VERSION, ALIAS, API, INTEGRATION), images=(IMAGE,))
    assert subjects.of_stack(stack) == {
        "w": Subject(
            key=key("Function/web"), function="w", digest=DIGEST, aliases=("live",), door=key("API/a")
        ),
        "k": Subject(key=key("Function/worker"), function="k", digest=DIGEST),
    }


def test_an_api_without_the_default_stage_is_reached_below_its_stage() -> None:
    stage = desired("Stage/s", {"stageName": "v1"}, "API/a")
    stack = Stack(resources=(WEB, VERSION, ALIAS, API, INTEGRATION, stage), images=(IMAGE,))
    assert subjects.of_stack(stack)["w"].stage == "v1"


def test_an_open_function_url_is_a_door_and_one_that_wants_signatures_is_none() -> None:
    url = desired("FunctionURLConfig/u", {"authType": "NONE"}, "Function/web")
    signed = desired("FunctionURLConfig/s", {"authType": "AWS_IAM"}, "Function/worker")
    found = subjects.of_stack(Stack(resources=(WEB, WORKER, url, signed), images=(IMAGE,)))
    assert (found["w"].door, found["k"].door) == (key("FunctionURLConfig/u"), None)


REST = desired("RestAPI/r", {"name": "r"})
REST_STAGE = desired("RestStage/s", {"stageName": "v1"}, "RestAPI/r")


def rest(
    part: str = "{proxy+}", verb: str = "ANY", kind: str = "AWS_PROXY", *below: str
) -> tuple[DesiredResource, ...]:
    """A REST API that hands the requests of one path to the function's alias."""
    path = desired("Resource/p", {"pathPart": part}, "RestAPI/r", *below)
    spec = {"type": kind, "httpMethod": verb}
    return (REST, path, desired("RestIntegration/i", spec, "RestAPI/r", "Resource/p", "Alias/web-live"))


def subject(*more: DesiredResource) -> Subject:
    """The function, behind what is given."""
    return subjects.of_stack(Stack(resources=(WEB, VERSION, ALIAS, *more), images=(IMAGE,)))["w"]


def test_a_rest_api_that_hands_everything_over_is_a_door_below_its_stage() -> None:
    found = subject(*rest(), REST_STAGE)
    assert (found.door, found.stage, found.path, found.is_whole) == (key("RestAPI/r"), "v1", "/v1", True)


@pytest.mark.parametrize(
    "above",
    [rest("orders"), rest("{proxy+}", "POST"), rest("{proxy+}", "ANY", "AWS_PROXY", "Resource/admin")],
    ids=["one path", "no GET", "below a path"],
)
def test_a_rest_api_that_hands_some_paths_over_is_no_whole_door(above: tuple[DesiredResource, ...]) -> None:
    found = subject(*above, REST_STAGE)
    assert (found.door, found.is_whole) == (key("RestAPI/r"), False)


def test_a_rest_api_without_a_stage_or_that_asks_somebody_else_is_no_door() -> None:
    assert subject(*rest()).door is None
    assert subject(*rest(kind="HTTP_PROXY"), REST_STAGE).door is None


def test_other_doors_come_before_a_rest_api() -> None:
    url = desired("FunctionURLConfig/u", {"authType": "NONE"}, "Function/web")
    assert subject(*rest(), REST_STAGE, url).door == key("FunctionURLConfig/u")
    found = subject(*rest("orders"), REST_STAGE, API, INTEGRATION)
    assert (found.door, found.path, found.is_whole) == (key("API/a"), "", True)

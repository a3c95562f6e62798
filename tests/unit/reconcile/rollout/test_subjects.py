from tests.unit.reconcile.builders import desired, key
from understudy.manifests.model import ImageBinding, Stack
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

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import invoked
from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.project import ScriptedTarget
from tests.unit.reconcile.builders import desired, observed
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image.store import Store
from understudy.manifests.model import DesiredResource, ImageBinding, Stack
from understudy.reconcile.model import ApplyReport, Observed, Plan
from understudy.reconcile.promotion import Promoter
from understudy.targets.deployment import Deployed, Deployment
from understudy.targets.workspace import Workspace

if TYPE_CHECKING:
    from understudy.reconcile.model import ApplyEvent

API = desired("API/a", {"name": "a"})
REST_STAGE = desired("RestStage/s", {"stageName": "live"}, "RestAPI/r")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ImageBinding, str]]:
    """What would have crossed the network; the contract tests push to real registries."""
    found: list[tuple[ImageBinding, str]] = []
    monkeypatch.setattr(Promoter, "push", lambda _, image, uri: found.append((image, uri)))
    return found


def deployment(
    workspace: Workspace, answers: dict[str, Any] | None = None, **target: Any
) -> tuple[Deployment, ScriptedTarget]:
    found = ScriptedTarget(ScriptedAws(answers), **target)
    return Deployment(workspace, found, Store(workspace.layout.store).open()), found


def deployed(workspace: Workspace, digest: str) -> tuple[Deployment, ScriptedTarget, Deployed]:
    one, target = deployment(workspace, projects.exists(digest))
    return one, target, one.apply({"shop": digest}, ["latest"])


def test_built_names_the_digest_of_each_image(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    assert deployment(workspace)[0].built() == {"shop": digest}


def test_an_image_that_was_not_built_comes_with_the_command(workspace: Workspace) -> None:
    with pytest.raises(UnderstudyError) as caught:
        deployment(workspace)[0].built()
    assert (caught.value.code, caught.value.hint) == ("image-not-built", "./understudy build shop")


def test_variables_are_those_of_the_manifest(workspace: Workspace) -> None:
    one, _ = deployment(workspace)
    assert one.variables_of("shop", {"shop": f"sha256:{'a' * 64}"}) == {"STAGE": "local"}
    assert one.variables_of("other", {"shop": f"sha256:{'a' * 64}"}) == {}


def test_the_first_function_is_the_one_that_runs_the_image(workspace: Workspace) -> None:
    projects.image(workspace)
    one, _ = deployment(workspace)
    assert one.first_function("shop") == "shop"
    with pytest.raises(UnderstudyError, match="no Function of the manifests runs image other"):
        one.first_function("other")


def test_apply_reports_each_step_and_what_is_there_afterwards(workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    states = [projects.exists(digest, MemorySize=128), projects.exists(digest)]
    answers = {**states[1], "GetFunction": [state["GetFunction"] for state in states]}
    one, target = deployment(workspace, answers)
    events: list[ApplyEvent] = []

    done = one.apply({"shop": digest}, ["latest"], events.append)

    assert [(str(event.key), event.phase) for event in events] == [
        ("Function/shop", "started"),
        ("Function/shop", "done"),
    ]
    assert target.asked == ["local"]
    assert (done.api_id(), [*done.functions_of("shop")], [*done.functions_of("other")]) == (
        "",
        [("shop", "")],
        [],
    )
    assert (workspace.layout.state / "apply-local.lock").exists()


@pytest.mark.parametrize(
    ("stack", "found"),
    [
        ((API, desired("Stage/s", {"stageName": "$default"}, "API/a"), REST_STAGE), ("x1", "")),
        ((API, desired("Stage/s", {"stageName": "v1"}, "API/a")), ("x1", "/v1")),
        ((desired("RestAPI/r", {}), REST_STAGE), ("r1", "/live")),
        ((desired("RestAPI/r", {}),), ("", "")),
        ((), ("", "")),
    ],
    ids=["http", "http below a stage", "rest", "rest without a stage", "none"],
)
def test_the_api_of_a_stack_is_its_http_api_or_else_its_rest_api(
    stack: tuple[DesiredResource, ...], found: tuple[str, str]
) -> None:
    there = (
        observed("API/a", {}, apiID="x1"),
        observed("RestAPI/r", {}, id="r1"),
        observed("RestStage/s", {}, restAPIID="r1", stageName="live"),
    )
    known = Observed(resources={one.key: one for one in there})
    report = ApplyReport(applied={}, observed=known, duration_s=0.0)
    one = Deployed(stack=Stack(resources=stack), observed=known, plan=Plan(actions=()), report=report)
    assert (one.api(), one.api_id()) == (found, found[0])


def test_push_answers_with_the_uri_that_names_the_digest(
    workspace: Workspace, pushed: list[tuple[ImageBinding, str]]
) -> None:
    digest = projects.image(workspace).digest
    one, _ = deployment(workspace, projects.exists(digest))

    assert one.push("shop", digest, ["latest", "abc"]) == f"{projects.URI}@{digest}"

    assert pushed == [
        (
            ImageBinding(name="shop", repository="shop", digest=digest, tags=("latest", "abc")),
            projects.URI,
        )
    ]


def test_push_needs_the_repository(workspace: Workspace, pushed: list[tuple[ImageBinding, str]]) -> None:
    digest = projects.image(workspace).digest
    one, _ = deployment(workspace, projects.NOTHING_EXISTS)
    with pytest.raises(UnderstudyError) as caught:
        one.push("shop", digest, ["latest"])
    assert (caught.value.code, caught.value.hint, pushed) == ("repository-absent", "./understudy apply", [])


def test_push_of_an_unknown_image_is_refused_before_anything_is_asked(workspace: Workspace) -> None:
    one, target = deployment(workspace)
    with pytest.raises(UnderstudyError, match="image nope is not in the project file"):
        one.push("nope", "sha256:0", [])
    assert (target.asked, target.fake.calls) == ([], [])


def test_release_pushes_and_moves_the_function_alone(
    workspace: Workspace, pushed: list[tuple[ImageBinding, str]]
) -> None:
    one, target, before = deployed(workspace, projects.image(workspace).digest)
    newer = f"sha256:{'b' * 64}"

    one.release(before, "shop", newer, ["latest"])

    assert [uri for _, uri in pushed] == [projects.URI]
    assert target.fake.writes == ["UpdateFunctionCode"]
    assert target.fake.params("UpdateFunctionCode")["ImageUri"] == f"{projects.URI}@{newer}"


def test_invoke_and_logs_name_an_unknown_function(workspace: Workspace) -> None:
    one, target = deployment(workspace, projects.NOTHING_EXISTS)
    with pytest.raises(UnderstudyError, match="target local has no function nobody"):
        one.invoke("nobody", b"{}")
    assert "Invoke" not in [name for name, _ in target.fake.calls]


def test_invoke_answers_with_payload_version_and_log(workspace: Workspace) -> None:
    one, _ = deployment(
        workspace,
        {"GetFunctionConfiguration": projects.CONFIGURATION, "Invoke": invoked.answer(b"1")},
    )
    found = one.invoke("shop:live", b"{}")
    assert (found.payload, found.version, found.function_error) == (b"1", "3", "")


def test_log_lines_are_those_of_the_function_whatever_its_qualifier(workspace: Workspace) -> None:
    one, target = deployment(workspace, {"FilterLogEvents": {"events": []}})
    assert list(one.log_lines("shop:live", 5, "x")) == []
    assert target.fake.params("FilterLogEvents") == {
        "logGroupName": "/aws/lambda/shop",
        "startTime": 5,
        "filterPattern": "x",
    }


@pytest.mark.parametrize("call", ["plan", "push", "invoke", "log_lines"])
def test_every_call_asks_the_guard_first(call: str, workspace: Workspace) -> None:
    digest = projects.image(workspace).digest
    down = EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up")
    one, target = deployment(workspace, down=down)
    arguments: dict[str, tuple[Any, ...]] = {
        "plan": ({"shop": digest}, []),
        "push": ("shop", digest, []),
        "invoke": ("shop", b""),
        "log_lines": ("shop", 0),
    }
    with pytest.raises(EnvironmentProblemError):
        getattr(one, call)(*arguments[call])
    assert target.fake.calls == []

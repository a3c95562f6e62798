import base64
import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import ScriptedAws
from tests.fakes.project import ScriptedTarget
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets.starts import deployed
from understudy.targets.starts.measuring import Wanted
from understudy.targets.workspace import Workspace

RELEASED = """\
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Version
metadata:
  name: shop
  annotations: {understudy.dev/auto-publish: "true"}
spec: {functionRef: {from: {name: shop}}}
---
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Alias
metadata: {name: live}
spec:
  name: live
  functionRef: {from: {name: shop}}
  functionVersion: ${Version.shop.version}
"""
WARM = "REPORT RequestId: r\tDuration: 2.00 ms\tBilled Duration: 2 ms\tMax Memory Used: 40 MB\t"
COLD = f"{WARM}Init Duration: 300.00 ms\t"
WANTED = Wanted(image="shop", runs=1, event_name="GET /health")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


def with_alias(workspace: Workspace) -> None:
    path = workspace.root / "deploy" / "stack.yaml"
    path.write_text(path.read_text() + RELEASED)


def answer(log: str, **more: str) -> dict[str, Any]:
    return {
        "Payload": io.BytesIO(b"{}"),
        "LogResult": base64.b64encode(log.encode()).decode(),
        "ExecutedVersion": "2",
        **more,
    }


def found(
    workspace: Workspace, digest: str, wanted: Wanted = WANTED, **answers: Any
) -> tuple[deployed.Function, ScriptedTarget]:
    base = projects.exists(digest, CodeSha256="aa")
    target = ScriptedTarget(
        ScriptedAws(
            {
                **base,
                "PublishVersion": {"Version": "2"},
                "ListVersionsByFunction": {"Versions": []},
                **answers,
            }
        ),
        guarded=True,
    )
    store = Store(workspace.layout.store).open()
    return deployed.find(workspace, target, store, wanted), target


def test_a_cold_start_is_what_the_reports_say(workspace: Workspace) -> None:
    with_alias(workspace)
    digest = projects.image(workspace).digest
    invoked = [answer(COLD), answer(WARM, FunctionError="Unhandled")]
    function, target = found(workspace, digest, Invoke=invoked)

    there = deployed.measure(function, WANTED, lambda _: None)

    (sample,) = there.series.samples
    assert (sample.init_ms, sample.first_ms, sample.second_ms, sample.peak_mb) == (300.0, 2.0, 2.0, 40.0)
    assert sample.error == "Unhandled"
    assert (there.function, there.series.condition.memory_mb, function.note) == ("shop", 256, "")
    assert target.fake.params("Invoke")["FunctionName"] == "shop:2"
    assert target.fake.params("DeleteFunction") == {"FunctionName": "shop", "Qualifier": "2"}


@pytest.mark.parametrize(
    ("log", "message"),
    [(WARM, "met an environment that was warm"), ("START\nEND\n", "the log of shop:2 has no REPORT")],
    ids=["warm", "silent"],
)
def test_a_log_without_a_cold_start_is_an_error_and_the_version_goes(
    workspace: Workspace, log: str, message: str
) -> None:
    with_alias(workspace)
    invoked = [answer(log), answer(log)]
    function, target = found(workspace, projects.image(workspace).digest, Invoke=invoked)
    with pytest.raises(UnderstudyError, match=message):
        deployed.measure(function, WANTED, lambda _: None)
    assert target.fake.writes[-1] == "DeleteFunction"


def test_a_function_that_callers_reach_without_an_alias_is_left_alone(workspace: Workspace) -> None:
    with pytest.raises(UnderstudyError, match=r"no Function runs image shop behind an Alias"):
        found(workspace, projects.image(workspace).digest)


def test_an_image_that_is_not_here_compares_with_nothing(workspace: Workspace) -> None:
    with_alias(workspace)
    with pytest.raises(
        UnderstudyError, match=f"runs sha256:{'e' * 64}, which is not in this project's store"
    ):
        found(workspace, f"sha256:{'e' * 64}")


def test_a_function_that_was_not_deployed_is_named(workspace: Workspace) -> None:
    with_alias(workspace)
    with pytest.raises(UnderstudyError, match="has no function shop"):
        found(workspace, projects.image(workspace).digest, **projects.NOTHING_EXISTS)


def test_another_live_image_is_noted(workspace: Workspace) -> None:
    with_alias(workspace)
    digest = projects.image(workspace).digest
    there = projects.exists(digest, CodeSha256="aa")["GetFunction"]
    other = projects.exists(f"sha256:{'e' * 64}")["GetFunction"]
    function, _ = found(workspace, digest, GetFunction=[there, there, other])
    assert function.note == f"shop:live runs sha256:{'e' * 64}; $LATEST is measured, {digest}"


def test_a_function_of_another_stack_is_left_alone(workspace: Workspace) -> None:
    with_alias(workspace)
    digest = projects.image(workspace).digest
    there = projects.exists(digest)["GetFunction"]
    assert isinstance(there, dict)
    with pytest.raises(UnderstudyError, match="carries no tag of this stack"):
        found(workspace, digest, GetFunction={**there, "Tags": {"understudy.dev/stack": "other"}})


@pytest.mark.parametrize("more", ["", projects.rest_api("live")], ids=["nothing", "a REST API"])
def test_no_request_for_http_is_sent_where_none_of_its_kind_leads(workspace: Workspace, more: str) -> None:
    with_alias(workspace)
    path = workspace.root / "deploy" / "stack.yaml"
    path.write_text(path.read_text() + more)
    wanted = dataclasses.replace(WANTED, is_http=True)
    with pytest.raises(UnderstudyError, match=r"GET /health \(payload 2\.0\) may do harm there"):
        found(workspace, projects.image(workspace).digest, wanted)

import json

import pytest

from tests.fakes import project as projects
from tests.fakes.aws import Refusal
from tests.fakes.gate import FakeGate
from tests.unit.cli.conftest import Reached, Understudy
from understudy.targets.workspace import Workspace


def test_converges_and_says_what_changed(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate
) -> None:
    digest = projects.image(project).digest
    states = [projects.exists(digest, MemorySize=128), projects.exists(digest)]
    answers = {**states[1], "GetFunction": [state["GetFunction"] for state in states]}
    fake = reach(answers).fake

    done = understudy("apply")

    assert done.exit_code == 0, done.output
    assert done.stdout == "update Function/shop\n1 changed, 2 unchanged\n"
    assert "apply to local" in done.stderr
    assert fake.writes == ["UpdateFunctionConfiguration"]


def test_json_names_each_resource(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate
) -> None:
    reach(projects.exists(projects.image(project).digest))

    done = understudy("apply", "--output", "json")

    found = json.loads(done.stdout)
    resources = {one["resource"]: one for one in found.pop("resources")}
    assert [(one["ready"], one["synced"]) for one in resources.values()] == [(True, True)] * 2
    assert found == {
        "applied": {"Repository/shop": "unchanged", "Image/shop": "unchanged", "Function/shop": "unchanged"},
        "api_id": "",
    }


def test_a_refusal_names_resource_and_operation(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate
) -> None:
    answers = projects.exists(projects.image(project).digest, MemorySize=128)
    refused = Refusal(code="InvalidParameterValueException", message="too small")
    reach({**answers, "UpdateFunctionConfiguration": refused})

    done = understudy("apply")

    assert done.exit_code == 1
    assert "Function/shop" in done.stderr
    assert "too small" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_applied_when_an_image_fails_verify(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate
) -> None:
    fake = reach(projects.exists(projects.image(project).digest, MemorySize=128)).fake
    gate.refuse()

    done = understudy("apply")

    assert done.exit_code == 1
    assert "✗ abi-mismatch" in done.stderr
    assert fake.writes == []


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("InvalidParameterValueException", 400, "ACK.Terminal"), ("ServiceException", 500, "ACK.Recoverable")],
)
def test_json_tells_what_failed_and_whether_to_try_again(
    *,
    code: str,
    status: int,
    kind: str,
    understudy: Understudy,
    project: Workspace,
    reach: Reached,
    gate: FakeGate,
) -> None:
    answers = projects.exists(projects.image(project).digest, MemorySize=128)
    refused = Refusal(code=code, message="no", status=status)
    reach({**answers, "UpdateFunctionConfiguration": refused})

    done = understudy("apply", "-o", "json")

    assert done.exit_code == 1
    states = {one["resource"]: one for one in json.loads(done.stdout)["resources"]}
    assert (states["Repository/shop"]["ready"], states["Function/shop"]["ready"]) == (True, False)
    assert [one["type"] for one in states["Function/shop"]["conditions"]] == [
        "Ready",
        "ACK.ResourceSynced",
        kind,
    ]

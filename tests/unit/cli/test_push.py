import json

import pytest

from tests.fakes import project as projects
from tests.fakes.gate import FakeGate
from tests.unit.cli.conftest import Reached, Understudy
from understudy.manifests.model import ImageBinding
from understudy.reconcile.promotion import Promoter
from understudy.targets.workspace import Workspace


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What would have crossed the network: the contract tests push to real registries."""
    found: list[tuple[str, str]] = []

    def push(self: Promoter, image: ImageBinding, repository_uri: str) -> None:
        found.append((image.digest, repository_uri))

    monkeypatch.setattr(Promoter, "push", push)
    return found


@pytest.mark.parametrize("names", [(), ("shop",)])
def test_prints_the_uri_with_the_digest(
    names: tuple[str, ...],
    understudy: Understudy,
    project: Workspace,
    reach: Reached,
    gate: FakeGate,
    pushed: list[tuple[str, str]],
) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest))

    done = understudy("push", *names)

    assert (done.exit_code, done.stdout) == (0, f"{projects.URI}@{digest}\n")
    assert pushed == [(digest, projects.URI)]


def test_json_is_keyed_by_image(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate, pushed: list[tuple[str, str]]
) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest))

    assert json.loads(understudy("push", "-o", "json").stdout) == {"shop": f"{projects.URI}@{digest}"}


def test_an_unknown_image_is_named_before_anything_is_pushed(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate, pushed: list[tuple[str, str]]
) -> None:
    reach(projects.exists(projects.image(project).digest))

    done = understudy("push", "shop", "shp")

    assert done.exit_code == 1
    assert "error[image-unknown]: image shp is not in the project file, which has: shop" in done.stderr
    assert pushed == []


def test_a_missing_repository_comes_with_apply(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate, pushed: list[tuple[str, str]]
) -> None:
    projects.image(project)
    reach(projects.NOTHING_EXISTS)

    done = understudy("push")

    assert done.exit_code == 1
    assert done.stderr == (
        "… push\nerror[repository-absent]: Repository shop does not exist\n  hint:  ./understudy apply\n"
    )


def test_an_image_that_fails_verify_is_not_pushed(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate, pushed: list[tuple[str, str]]
) -> None:
    reach(projects.exists(projects.image(project).digest))
    gate.refuse()

    done = understudy("push")

    assert done.exit_code == 1
    assert "✗ abi-mismatch" in done.stderr
    assert pushed == []


def test_allowed_rules_reach_the_gate(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate, pushed: list[tuple[str, str]]
) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest))

    understudy("push", "--allow", "bytecode-stale=measured")

    assert gate.allowed == {"bytecode-stale": "measured"}
    assert gate.checked == [{"shop": digest}]

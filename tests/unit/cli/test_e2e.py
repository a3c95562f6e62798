from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.cli import e2e
from understudy.image.model import Image
from understudy.image.store import Store
from understudy.reconcile.promotion import Promoter
from understudy.targets import proof_key, suite
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace
from understudy.verify import e2e as records

RESULTS = '<testsuite tests="2" failures="0" errors="0" skipped="0"/>'


@dataclass
class World:
    """A project that has a suite, on a target that runs its image, and a pytest that says what it is told."""

    project: Workspace
    image: Image
    reach: Reached
    said: tuple[int, str] = (0, RESULTS)
    ran: list[dict[str, str]] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)

    def pytest(self, code: int, results: str) -> None:
        """Says how pytest ends, and what its JUnit file holds."""
        self.said = (code, results)

    def run(
        self,
        found: Workspace,
        target: Target,
        arguments: tuple[str, ...],
        variables: dict[str, str],
        told: Path,
    ) -> int:
        self.ran.append(variables)
        code, results = self.said
        if results:
            told.write_text(results)
        return code

    def proofs(self) -> list[tuple[str, int]]:
        """Target and passed tests of each record of the image."""
        store = Store(self.project.layout.store).open()
        found = records.records(store, proof_key.load(self.project.layout), self.image.digest)
        return [(one.target, one.passed) for one in found]


@pytest.fixture
def world(project: Workspace, reach: Reached, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.delenv(proof_key.VARIABLE, raising=False)
    (project.root / suite.FOLDER).mkdir(parents=True)
    (project.root / suite.FOLDER / "test_a.py").write_text("")
    made = World(project=project, image=projects.image(project), reach=reach)
    reach(projects.exists(made.image.digest))
    monkeypatch.setattr(e2e, "_pytest", made.run)
    monkeypatch.setattr(Promoter, "attach", lambda _, digest, __: made.pushed.append(digest))
    return made


def test_a_suite_that_passes_is_recorded_for_what_ran(world: World, understudy: Understudy) -> None:
    done = understudy("e2e", "-q")

    assert done.exit_code == 0, done.output
    (found,) = world.ran
    assert found["E2E_IMAGE_DIGEST"] == world.image.digest
    assert found["E2E_FUNCTION"] == "shop"
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert world.proofs() == [("local", 2)]
    assert world.pushed == [world.image.digest]
    assert "recorded for shop: 2 passed" in done.stderr


@pytest.mark.parametrize(
    ("says", "arguments", "exit_code"),
    [
        ((1, RESULTS), (), 1),
        ((0, RESULTS), ("-k", "health"), 0),
        ((0, '<testsuite tests="3" failures="0" errors="0" skipped="1"/>'), (), 0),
        ((0, ""), (), 1),
    ],
    ids=["failed", "in-part", "one-skipped", "no-results"],
)
def test_nothing_else_is_recorded(
    says: tuple[int, str], arguments: tuple[str, ...], exit_code: int, world: World, understudy: Understudy
) -> None:
    world.pytest(*says)
    assert understudy("e2e", *arguments).exit_code == exit_code
    assert world.proofs() == []


def test_a_python_without_pytest_is_told_what_brings_it(
    world: World, understudy: Understudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(e2e.importlib.util, "find_spec", lambda _: None)

    done = understudy("e2e")

    assert (done.exit_code, world.ran) == (3, [])
    assert "has no pytest, which runs the suite" in done.stderr
    assert "tox -e e2e-local brings it along" in done.stderr


def test_an_image_that_was_built_elsewhere_passes_without_a_record(
    world: World, understudy: Understudy
) -> None:
    elsewhere = projects.exists(f"sha256:{'9' * 64}")
    world.reach(elsewhere)

    done = understudy("e2e")

    assert (done.exit_code, world.pushed) == (0, [])
    assert "no record: built elsewhere: shop" in done.stderr


def test_a_release_during_the_suite_makes_no_record(world: World, understudy: Understudy) -> None:
    before, after = projects.exists(world.image.digest), projects.exists(f"sha256:{'9' * 64}")
    world.reach({**before, "GetFunction": [before["GetFunction"], after["GetFunction"]]})
    done = understudy("e2e")
    assert (done.exit_code, world.proofs()) == (1, [])
    assert "suite-overtaken" in done.stderr

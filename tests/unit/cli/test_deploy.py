import json
from typing import Self

import pytest

from tests.fakes import project as projects
from tests.fakes.gate import FakeGate
from tests.unit.cli.conftest import Reached, Understudy
from understudy.errors import EnvironmentProblemError
from understudy.image.model import Image
from understudy.manifests.model import ImageBinding
from understudy.reconcile.promotion import Promoter
from understudy.targets import images
from understudy.targets.images import BuiltImage
from understudy.targets.workspace import Workspace


@pytest.fixture
def built(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> Image:
    """The project's image; nothing is built."""
    image = projects.image(project)

    class Builder:
        tags = ("latest",)

        def __init__(self, *_: object, builder: str | None) -> None:
            """Builds nothing."""

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def build(self, name: str) -> BuiltImage:
            return BuiltImage(name=name, image=image, stand_in_for="", seconds=0.0)

    monkeypatch.setattr(images, "ImageBuilder", Builder)
    return image


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def push(self: Promoter, image: ImageBinding, repository_uri: str) -> None:
        found.append(image.digest)

    monkeypatch.setattr(Promoter, "push", push)
    return found


def test_the_built_digest_is_verified_and_applied(
    understudy: Understudy, reach: Reached, gate: FakeGate, built: Image, pushed: list[str]
) -> None:
    answers = projects.exists(built.digest)
    reach({**answers, "DescribeImages": [{"imageDetails": []}, answers["DescribeImages"]]})

    done = understudy("deploy")

    assert done.exit_code == 0, done.output
    assert done.stdout == f"shop {built.digest} runs as shop\n1 changed, 2 unchanged\n"
    assert gate.checked == [{"shop": built.digest}]
    assert pushed == [built.digest]


def test_json_tells_digests_and_what_was_applied(
    understudy: Understudy, reach: Reached, gate: FakeGate, built: Image
) -> None:
    reach(projects.exists(built.digest))

    found = json.loads(understudy("deploy", "-o", "json").stdout)

    assert found["images"] == {"shop": built.digest}
    assert found["applied"]["Function/shop"] == "unchanged"


def test_a_failing_image_stops_it_before_any_push(
    understudy: Understudy, reach: Reached, gate: FakeGate, built: Image, pushed: list[str]
) -> None:
    fake = reach(projects.NOTHING_EXISTS).fake
    gate.refuse()

    done = understudy("deploy")

    assert done.exit_code == 1
    assert "✗ abi-mismatch" in done.stderr
    assert (pushed, fake.writes) == ([], [])


def test_a_target_that_does_not_answer_is_found_before_the_build(
    understudy: Understudy, reach: Reached, gate: FakeGate, project: Workspace
) -> None:
    reach(down=EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up"))

    done = understudy("deploy")

    assert done.exit_code == 3
    assert "target-down" in done.stderr
    assert gate.checked == []

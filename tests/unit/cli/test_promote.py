from typing import Any

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.cli import releasing
from understudy.image.model import Image
from understudy.targets.workspace import Workspace


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What went on to the target; nothing is deployed."""
    found: list[Any] = []
    monkeypatch.setattr(
        releasing, "deliver", lambda _, target, images, *__: found.append((target.name, images))
    )
    monkeypatch.setattr(releasing, "show", lambda *_: None)
    return found


@pytest.fixture
def built(project: Workspace) -> Image:
    """An image of the project, in its store."""
    return projects.image(project)


def test_what_is_live_goes_on_under_the_tags_that_it_has(
    understudy: Understudy, reach: Reached, built: Image, released: list[Any]
) -> None:
    details = {"imageDigest": built.digest, "imageTags": ["latest", "abc123"]}
    reach({**projects.exists(built.digest), "DescribeImages": {"imageDetails": [details]}})

    done = understudy("promote", "local", "preprod")

    assert done.exit_code == 0, done.output
    images = released[0][1]
    assert (images.digests, images.tags) == ({"shop": built.digest}, ("latest", "abc123"))


def test_an_image_that_is_not_here_is_told_before_anything(
    understudy: Understudy, reach: Reached, built: Image, released: list[Any]
) -> None:
    digest = f"sha256:{'9' * 64}"
    reach(projects.exists(digest))
    done = understudy("promote", "local", "preprod")
    assert (done.exit_code, released) == (1, [])
    assert f"local runs shop@{digest}, which is not in this project's store" in done.stderr


def test_a_source_that_runs_nothing_comes_with_the_command(
    understudy: Understudy, reach: Reached, built: Image, released: list[Any]
) -> None:
    reach(projects.NOTHING_EXISTS)
    done = understudy("promote", "local", "preprod")
    assert (done.exit_code, released) == (1, [])
    assert "./understudy deploy --target local" in done.stderr

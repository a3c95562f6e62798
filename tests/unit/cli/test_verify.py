from pathlib import Path

import pytest

from tests.fakes.verify import Runs
from tests.unit.cli.conftest import Understudy
from understudy.image.model import Image
from understudy.image.store import Store, attachments
from understudy.targets.workspace import Workspace


def test_the_projects_image_as_its_function_runs_it(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    done = understudy("verify")

    assert done.exit_code == 0, done.output
    (request,) = runs.requests
    assert (request.reference, request.name) == (image.digest, "shop")
    assert (request.launch.function_name, request.launch.memory_mb) == ("shop", 256)
    assert "✓ starts on Lambda" in done.stdout
    assert "  proof   sha256:" in done.stdout
    assert len(attachments.attached(Store(project.layout.store), image.digest)) == 1


@pytest.mark.parametrize("name", ["shop", "shop:latest"])
def test_a_project_image_can_be_named(
    name: str, understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    assert understudy("verify", name).exit_code == 0
    assert runs.requests[0].launch.function_name == "shop"


def test_outside_a_project_an_image_can_be_verified(
    understudy: Understudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Runs
) -> None:
    monkeypatch.chdir(tmp_path)
    assert understudy("verify", "image.tar").exit_code == 0
    assert runs.requests[0].reference == "image.tar"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [(), ("image.tar", "--function", "shop")])
def test_outside_a_project_what_needs_one_is_refused(
    arguments: tuple[str, ...],
    understudy: Understudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: Runs,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = understudy("verify", *arguments)
    assert done.exit_code == 1
    assert "project-missing" in done.stderr


def test_an_image_that_was_not_built_comes_with_the_command(
    understudy: Understudy, project: Workspace, runs: Runs
) -> None:
    done = understudy("verify")
    assert done.exit_code == 1
    assert "./understudy build shop" in done.stderr

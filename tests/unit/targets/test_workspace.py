import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.fakes import project as projects
from understudy.errors import UnderstudyError
from understudy.targets import workspace
from understudy.targets.workspace import Workspace


@pytest.fixture
def found(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


@pytest.fixture
def committed(found: Workspace) -> Workspace:
    """The project in a git checkout of its own, away from the user's git settings."""
    git(found.root, "init", "-q")
    git(found.root, "add", ".")
    git(found.root, "commit", "-q", "-m", "first")
    return found


def git(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    subprocess.run(["git", *who, *arguments], cwd=folder, env=environment, check=True)


def test_is_found_from_a_folder_below(found: Workspace) -> None:
    assert workspace.find(found.root / "app").root == found.root
    assert found.layout.state == found.root / ".understudy"


def test_no_project_upwards_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError) as caught:
        workspace.find(tmp_path)
    assert caught.value.code == "project-missing"


def test_the_commit_is_short_and_untracked_files_do_not_count(committed: Workspace) -> None:
    (committed.root / "new").touch()
    assert re.fullmatch("[0-9a-f]{12}", committed.git_sha())


def test_a_changed_file_makes_the_commit_dirty(committed: Workspace) -> None:
    clean = committed.git_sha()
    (committed.root / "understudy.yaml").write_text(projects.PROJECT + "# changed\n")
    assert committed.git_sha() == f"{clean}-dirty"


def test_outside_git_there_is_no_commit(found: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(found.root.parent))
    assert found.git_sha() == ""


def test_a_checkout_without_a_commit_has_none(found: Workspace) -> None:
    git(found.root, "init", "-q")
    assert found.git_sha() == ""


@pytest.mark.parametrize("change", [[], ["pack-refs", "--all"], ["checkout", "-q", "--detach"]])
def test_without_the_git_command_nobody_says_whether_files_differ(
    change: list[str], committed: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean = committed.git_sha()
    if change:
        git(committed.root, *change)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert committed.git_sha() == f"{clean}-unchecked"


def test_without_git_and_a_checkout_there_is_no_commit(
    found: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found.git_sha() == ""


def test_an_image_is_found_by_its_name(found: Workspace) -> None:
    assert found.image("shop").repository == "shop"
    assert found.first_image() == "shop"


@pytest.mark.parametrize(
    ("name", "hint"), [("shp", "write shop"), ("zzz", "add images.zzz to understudy.yaml")]
)
def test_an_unknown_image_names_the_nearest(name: str, hint: str, found: Workspace) -> None:
    with pytest.raises(UnderstudyError) as caught:
        found.image(name)
    assert (caught.value.code, caught.value.hint) == ("image-unknown", hint)


def test_a_project_without_images_is_told(found: Workspace) -> None:
    empty = Workspace(root=found.root, project=found.project.model_copy(update={"images": {}}))
    with pytest.raises(UnderstudyError) as caught:
        empty.first_image()
    assert caught.value.code == "image-none"

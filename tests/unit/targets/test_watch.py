from pathlib import Path

import pytest
import watchfiles

from tests.fakes import project as projects
from understudy.targets import watch
from understudy.targets.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = projects.make(tmp_path / "project")
    text = projects.PROJECT.replace(
        "targets:", "  jobs: {context: jobs, dockerfile: docker/jobs, repository: shop}\ntargets:"
    )
    (found.root / "understudy.yaml").write_text(text)
    return projects.find(found.root)


@pytest.mark.parametrize(
    ("paths", "images"),
    [
        (["app/shop/main.py"], {"shop"}),
        (["app/Dockerfile"], {"shop"}),
        (["docker/jobs"], {"jobs"}),
        (["jobs/a", "app/b"], {"shop", "jobs"}),
        (["application/a", "docker/other", "README"], set()),
        ([], set()),
    ],
    ids=["context", "dockerfile", "dockerfile-outside", "two", "beside", "nothing"],
)
def test_a_file_belongs_to_the_images_that_are_built_from_it(
    paths: list[str], images: set[str], workspace: Workspace
) -> None:
    assert watch.images_of(workspace, [workspace.root / path for path in paths]) == images


def test_a_file_that_the_context_leaves_out_belongs_to_the_image_inside_it_alone(
    workspace: Workspace,
) -> None:
    text = (workspace.root / "understudy.yaml").read_text().replace("context: jobs", "context: app/jobs")
    (workspace.root / "understudy.yaml").write_text(text)
    (workspace.root / "app" / ".dockerignore").write_text("*\n!shop\n")
    found = projects.find(workspace.root)

    assert watch.images_of(found, [found.root / "app/jobs/handler.py"]) == {"jobs"}
    assert watch.images_of(found, [found.root / "app/shop/main.py"]) == {"shop"}
    assert watch.images_of(found, [found.root / "app/.dockerignore"]) == {"shop"}
    (workspace.root / "app" / ".dockerignore").write_text("[\n")
    assert watch.images_of(found, [found.root / "app/jobs/handler.py"]) == {"jobs", "shop"}


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("app/main.py", True),
        ("app/tests/test_main.py", False),
        ("app/__pycache__/main.pyc", False),
        ("app/.git/index", False),
        ("app/main.py~", False),
        ("app/.main.py.swp", False),
    ],
)
def test_caches_editors_files_and_what_the_project_ignores_are_not_heard(
    path: str, heard: bool, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters: list[watchfiles.DefaultFilter] = []
    paths: list[Path] = []

    def no_changes(*watched: Path, watch_filter: watchfiles.DefaultFilter, **_: object) -> list[object]:
        filters.append(watch_filter)
        paths.extend(watched)
        return []

    monkeypatch.setattr(watch.watchfiles, "watch", no_changes)

    assert list(watch.changes(workspace, watch.threading.Event())) == []

    assert paths == [workspace.root / "app"]
    assert filters[0](watchfiles.Change.modified, str(workspace.root / path)) is heard


def test_a_batch_names_each_image_once_and_one_of_none_is_yielded_too(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    modified = watchfiles.Change.modified
    batches = [
        {(modified, str(workspace.root / "app" / "a")), (modified, str(workspace.root / "app" / "b"))},
        {(modified, str(workspace.root / "elsewhere"))},
        {(modified, str(workspace.root / "jobs" / "a"))},
    ]
    monkeypatch.setattr(watch.watchfiles, "watch", lambda *_, **__: iter(batches))

    found = list(watch.changes(workspace, watch.threading.Event()))

    assert found == [frozenset({"shop"}), frozenset(), frozenset({"jobs"})]


def test_nothing_to_watch_ends_at_once(tmp_path: Path) -> None:
    found = projects.make(tmp_path / "project")
    (found.root / "understudy.yaml").write_text(projects.PROJECT.replace("paths: [app, gone]", "paths: [x]"))

    assert list(watch.changes(projects.find(found.root), watch.threading.Event())) == []

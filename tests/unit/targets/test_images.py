import dataclasses
from pathlib import Path

import pytest

from tests.fakes import project as projects
from understudy.errors import UnderstudyError
from understudy.image import builder
from understudy.image.builder import STAND_IN_LABEL, BuildRequest, model
from understudy.image.model import Image
from understudy.targets import images
from understudy.targets.events import Advanced, Done, Event, Noticed, Started
from understudy.targets.images import ImageBuilder
from understudy.targets.workspace import Workspace

BASE = "public.ecr.aws/lambda/python:3.13"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return projects.make(tmp_path / "project")


class Builds:
    """Plays the builder: remembers what it was asked, says one of everything, makes one image."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.requests: list[BuildRequest] = []

    def build(self, request: BuildRequest, **seams: object) -> Image:
        self.requests.append(request)
        progress = seams["progress"]
        assert callable(progress)
        progress(model.StepStarted(number=1, total=2, stage="0", source="FROM scratch"))
        progress(model.StepOutput(number=1, line="hello\n"))
        progress(model.Work(message="compressing"))
        progress(model.Notice(message="careful", where="Dockerfile:2"))
        return self.image


def builds(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, **labels: str) -> Builds:
    found = Builds(projects.image(workspace, labels=labels))
    monkeypatch.setattr(builder, "build", found.build)
    return found


def test_a_build_is_told_step_by_step(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = builds(workspace, monkeypatch)
    events: list[Event] = []

    with ImageBuilder(workspace, events.append) as one:
        built = one.build("shop")

    assert (built.name, built.image.digest, built.stand_in_for) == ("shop", fake.image.digest, "")
    assert events[:-1] == [
        Started(step="build shop"),
        Advanced(step="build shop", text="[1/2] FROM scratch"),
        Advanced(step="build shop", text="hello"),
        Advanced(step="build shop", text="compressing"),
        Noticed(text="Dockerfile:2: careful"),
    ]
    assert isinstance(events[-1], Done)
    assert events[-1].detail == f"{fake.image.digest} 0 MB"


def test_a_stand_in_is_told_in_the_report_and_on_screen(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds(workspace, monkeypatch, **{STAND_IN_LABEL: BASE})
    events: list[Event] = []

    with ImageBuilder(workspace, events.append) as one:
        assert one.build("shop").stand_in_for == BASE

    assert events[-1] == Noticed(
        text=f"shop is built on the stand-in for {BASE}, which cannot be pulled here"
    )


@pytest.mark.parametrize(
    ("dockerfile", "sha", "arguments"),
    [
        ("FROM scratch\nARG GIT_SHA\n", "abc123", {"GIT_SHA": "abc123"}),
        ("FROM scratch\n", "abc123", {}),
        ("FROM scratch\nARG GIT_SHA\n", "", {}),
    ],
    ids=["asked", "not-asked", "no-git"],
)
def test_the_commit_reaches_a_dockerfile_that_asks_for_it(
    dockerfile: str,
    sha: str,
    arguments: dict[str, str],
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (workspace.root / "app" / "Dockerfile").write_text(dockerfile)
    fake = builds(workspace, monkeypatch)
    monkeypatch.setattr(Workspace, "git_sha", lambda _: sha)

    with ImageBuilder(workspace, lambda _: None) as one:
        one.build("shop")
        assert one.tags == (("latest", sha) if sha else ("latest",))

    [request] = fake.requests
    assert request.build_args == arguments
    assert request.tags == ("shop:latest",)
    assert (request.context, request.platform) == (workspace.root / "app", "linux/amd64")


@pytest.mark.parametrize(
    ("name", "remove", "code", "where"),
    [
        ("nope", "", "image-unknown", "understudy.yaml, images"),
        ("shop", "app/Dockerfile", "image-input-missing", "understudy.yaml, images.shop.dockerfile"),
        ("shop", "app", "image-input-missing", "understudy.yaml, images.shop.context"),
    ],
)
def test_what_is_missing_is_named_with_its_field(
    name: str, remove: str, code: str, where: str, workspace: Workspace
) -> None:
    if remove:
        (workspace.root / remove).rename(workspace.root / "elsewhere")
    events: list[Event] = []

    with ImageBuilder(workspace, events.append) as one, pytest.raises(UnderstudyError) as caught:
        one.build(name)

    assert (caught.value.code, caught.value.where) == (code, where)
    assert events == []


def test_a_base_is_built_anew(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    image = projects.image(workspace)
    asked: list[object] = []

    def build_base(name: str, **seams: object) -> Image:
        asked.append((name, seams["rebuild"]))
        return image

    monkeypatch.setattr(images, "build_base", build_base)
    events: list[Event] = []

    with ImageBuilder(workspace, events.append) as one:
        assert one.build_base("python3.13") is image

    assert asked == [("python3.13", True)]
    assert [type(event) for event in events] == [Started, Done]


@pytest.mark.parametrize("asked", ["command line", "project file"])
def test_docker_builds_where_it_is_asked_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if asked == "project file":
        section = workspace.project.images["shop"].model_copy(update={"builder": "docker"})
        project = workspace.project.model_copy(update={"images": {"shop": section}})
        workspace = dataclasses.replace(workspace, project=project)
        one = ImageBuilder(workspace, lambda _: None)
    else:
        one = ImageBuilder(workspace, lambda _: None, builder="docker")
    with one, pytest.raises(UnderstudyError) as caught:
        one.build("shop")
    assert caught.value.code == "docker-missing"

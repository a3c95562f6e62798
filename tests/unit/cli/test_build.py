import json

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Understudy
from understudy.image import builder
from understudy.image.builder import STAND_IN_LABEL, BuildRequest, Work
from understudy.image.model import Image
from understudy.targets.workspace import Workspace


@pytest.fixture
def built(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> Image:
    """The image that every build makes; the builder has tests of its own."""
    image = projects.image(project, labels={STAND_IN_LABEL: "public.ecr.aws/lambda/python:3.13"})

    def build(request: BuildRequest, **seams: object) -> Image:
        progress = seams["progress"]
        assert callable(progress)
        progress(Work(message="working"))
        return image

    monkeypatch.setattr(builder, "build", build)
    return image


@pytest.mark.parametrize("names", [(), ("shop",)])
def test_prints_the_digest_alone_on_stdout(
    names: tuple[str, ...], understudy: Understudy, built: Image
) -> None:
    done = understudy("build", *names)

    assert (done.exit_code, done.stdout) == (0, f"shop@{built.digest}\n")
    assert "built on the stand-in for public.ecr.aws/lambda/python:3.13" in done.stderr


def test_json_names_size_base_and_time(understudy: Understudy, built: Image) -> None:
    [found] = json.loads(understudy("build", "--output", "json").stdout)

    assert found.pop("seconds") >= 0
    assert found == {
        "name": "shop",
        "digest": built.digest,
        "size_bytes": built.size_bytes,
        "stand_in_for": "public.ecr.aws/lambda/python:3.13",
    }


def test_an_unknown_image_is_named_before_any_is_built(understudy: Understudy, built: Image) -> None:
    done = understudy("build", "shop", "shap")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("hint:  write shop\n")


def test_a_missing_dockerfile_is_named_with_its_field(understudy: Understudy, project: Workspace) -> None:
    (project.root / "app" / "Dockerfile").unlink()

    done = understudy("build")

    assert done.exit_code == 1
    assert "app/Dockerfile, the dockerfile of image shop, is no file" in done.stderr
    assert "where: understudy.yaml, images.shop.dockerfile" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("dockerfile:", "dokerfile:", "rename it to dockerfile"),
        ("images:", "imges:", "rename it to images"),
        ("type: local", "type: locl", "write 'local', 'localstack' or 'aws'"),
        ("project: shop", "project: [", "hint:  correct line"),
        ("context: app", "context: ../app", "expected a path inside the project"),
    ],
)
def test_a_typo_in_the_project_file_is_named_with_its_line(
    old: str, new: str, told: str, understudy: Understudy, project: Workspace
) -> None:
    path = project.root / "understudy.yaml"
    path.write_text(path.read_text().replace(old, new, 1))

    done = understudy("build")

    assert done.exit_code == 1
    assert "where: understudy.yaml:" in done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr

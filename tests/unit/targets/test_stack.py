from pathlib import Path

import pytest

from tests.fakes import project as projects
from understudy.errors import UnderstudyError
from understudy.manifests.errors import ManifestError
from understudy.manifests.model import ResourceKey
from understudy.targets import project, stack, target

ROOT = Path(__file__).resolve().parents[3]


def test_stack_of_the_project_holds_the_digest_that_was_built() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    digest = f"sha256:{'d' * 64}"
    loaded = stack.load(
        ROOT, found, target.find(found, "local"), {"dashboard": digest}, tags=("latest", "abc")
    )
    function = loaded.get(ResourceKey("Function", "dashboard"))
    assert function is not None
    assert digest in str(function.spec["code"])
    assert loaded.images[0].tags == ("latest", "abc")
    assert len(loaded.resources) == 12


def test_check_needs_no_build() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    stack.check(ROOT, found, target.find(found, "local"))


def test_check_finds_a_wrong_manifest(tmp_path: Path) -> None:
    found = projects.make(tmp_path / "project")
    path = found.root / "deploy" / "stack.yaml"
    path.write_text(projects.MANIFESTS.replace("${image.shop}", "${image.shap}"))
    with pytest.raises(ManifestError) as caught:
        stack.check(found.root, found.project, target.find(found.project, "local"))
    assert (caught.value.where or "").startswith("deploy/stack.yaml:12")


def test_image_that_was_not_built_is_told() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    with pytest.raises(UnderstudyError) as caught:
        stack.load(ROOT, found, target.find(found, "local"), {})
    assert caught.value.hint == "./understudy build dashboard"

from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
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


def test_image_that_was_not_built_is_told() -> None:
    found = project.load(ROOT / project.FILE_NAME)
    with pytest.raises(UnderstudyError) as caught:
        stack.load(ROOT, found, target.find(found, "local"), {})
    assert caught.value.hint == "./understudy build dashboard"

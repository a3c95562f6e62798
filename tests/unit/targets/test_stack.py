from pathlib import Path

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

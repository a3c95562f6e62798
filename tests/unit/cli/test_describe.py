import json

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.targets.workspace import Workspace


@pytest.mark.parametrize("name", ["Function/shop", "function/shop"])
def test_shows_what_the_manifest_says_and_what_aws_has(
    name: str, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach(projects.exists(projects.image(project).digest, MemorySize=128))

    shown = json.loads(understudy("describe", name).stdout)

    assert (shown["resource"], shown["ready"], shown["synced"]) == ("Function/shop", True, False)
    assert (shown["spec"]["memorySize"], shown["observed"]["memorySize"]) == (256, 128)
    assert [change["path"] for change in shown["changes"]] == ["memorySize"]
    assert shown["status"]["state"] == "Active"


def test_what_does_not_exist_is_described_by_its_manifest(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach(projects.NOTHING_EXISTS)

    shown = json.loads(understudy("describe", "Repository/shop").stdout)

    assert (shown["ready"], shown["observed"], shown["status"]) == (False, None, None)
    assert shown["spec"]["name"] == "shop"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Function/shp", "./understudy describe Function/shop"), ("zzz", "./understudy get lists them")],
)
def test_an_unknown_resource_names_the_nearest(
    name: str, hint: str, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach(projects.NOTHING_EXISTS)

    done = understudy("describe", name)

    assert done.exit_code == 1
    assert done.stderr.endswith(f"hint:  {hint}\n")

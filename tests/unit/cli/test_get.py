import json

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.targets.workspace import Workspace


def test_lists_what_is_missing_and_why(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    projects.image(project)
    reach(projects.NOTHING_EXISTS)

    done = understudy("get")

    assert done.exit_code == 0, done.output
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["RESOURCE", "READY", "SYNCED"],
        ["Repository/shop", "False", "False"],
        ["Function/shop", "False", "False"],
    ]
    assert "does not exist" in done.stdout


@pytest.mark.parametrize("kind", ["Function", "function", "functions", "FUNCTIONS"])
def test_one_kind_in_any_spelling(
    kind: str, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest))

    listed = json.loads(understudy("get", kind, "--output", "json").stdout)

    assert [(one["resource"], one["ready"], one["synced"]) for one in listed] == [
        ("Function/shop", True, True)
    ]
    assert listed[0]["status"]["arn"] == "arn:shop"
    assert [condition["type"] for condition in listed[0]["conditions"]] == ["Ready", "ACK.ResourceSynced"]


def test_what_does_not_exist_has_no_status(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach(projects.NOTHING_EXISTS)

    listed = json.loads(understudy("get", "repositories", "-o", "json").stdout)

    assert [(one["resource"], one["status"]) for one in listed] == [("Repository/shop", None)]


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("Funktion", "./understudy get Function"), ("Zebra", "./understudy get, without a kind, lists all")],
)
def test_an_unknown_kind_names_the_nearest(
    kind: str, hint: str, understudy: Understudy, project: Workspace
) -> None:
    done = understudy("get", kind)

    assert done.exit_code == 1
    assert "error[kind-unknown]" in done.stderr
    assert done.stderr.endswith(f"hint:  {hint}\n")

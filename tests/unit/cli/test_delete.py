import json

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.targets.workspace import Workspace

GONE = projects.NOTHING_EXISTS


def then_gone(*operations: str) -> dict[str, object]:
    """Answers of an AWS that has everything, until something was deleted."""
    there = projects.exists("sha256:x")
    return {**there, **{name: [there[name], GONE[name]] for name in operations}}


def test_the_plan_is_shown_and_data_stays(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    fake = reach(then_gone("GetFunction")).fake

    done = understudy("delete", "--yes")

    assert (done.exit_code, fake.writes) == (0, ["DeleteFunction"]), done.output
    assert done.stdout == (
        "- Function/shop\n"
        "= Repository/shop  (it holds data; --allow-delete Repository/shop takes it away)\n"
        "1 delete, 1 retain\n"
        "1 changed\n"
    )


def test_data_goes_when_it_is_named(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    fake = reach(then_gone("GetFunction", "DescribeRepositories")).fake

    done = understudy("delete", "--yes", "--allow-delete", "repository/shop", "-o", "json")

    assert (done.exit_code, fake.writes) == (0, ["DeleteFunction", "DeleteRepository"])
    assert json.loads(done.stdout)["applied"] == {"Function/shop": "delete", "Repository/shop": "delete"}


@pytest.mark.parametrize("command", [["delete"], ["delete", "Function/shop"]])
def test_nothing_goes_when_nobody_can_be_asked(
    command: list[str], understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    fake = reach(projects.exists("sha256:x")).fake

    done = understudy(*command)

    assert (done.exit_code, fake.writes) == (1, [])
    assert "error[confirmation-missing]: nobody confirmed: delete 1 of the resources above" in done.stderr


def test_nothing_is_asked_when_there_is_nothing_to_delete(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach(projects.NOTHING_EXISTS)
    assert understudy("delete").stdout == "nothing to delete\n"


def test_a_repository_that_is_used_stays(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    fake = reach(projects.exists("sha256:x")).fake

    done = understudy("delete", "Repository/shop", "--allow-delete", "Repository/shop", "--yes")

    assert (done.exit_code, fake.writes) == (1, [])
    assert "Repository/shop is used by Function/shop" in done.stderr

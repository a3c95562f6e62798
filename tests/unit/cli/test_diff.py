import json

import pytest

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.targets.workspace import Workspace


def test_shows_each_field_that_differs(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest, MemorySize=128))

    done = understudy("diff")

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "~ Function/shop\n    memorySize: 128 -> 256\n2 unchanged, 1 update\n"


def test_json_holds_the_same_plan(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    digest = projects.image(project).digest
    reach(projects.exists(digest, MemorySize=128))

    plan = json.loads(understudy("diff", "-o", "json").stdout)

    assert plan["counts"] == {"unchanged": 2, "update": 1}
    changed = next(action for action in plan["actions"] if action["verb"] == "update")
    assert changed == {
        "resource": "Function/shop",
        "verb": "update",
        "reason": "",
        "foreign": False,
        "changes": [{"path": "memorySize", "old": 128, "new": 256, "known": True}],
    }


@pytest.mark.parametrize(("memory", "code"), [(128, 2), (256, 0)])
def test_a_detailed_exit_code_tells_whether_something_differs(
    memory: int, code: int, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach(projects.exists(projects.image(project).digest, MemorySize=memory))

    assert understudy("diff", "--detailed-exitcode").exit_code == code


def test_an_image_that_was_not_built_comes_with_the_command(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach({})

    done = understudy("diff")

    assert done.exit_code == 1
    assert done.stderr == (
        "error[image-not-built]: image shop has not been built here\n  hint:  ./understudy build shop\n"
    )


def test_a_broken_manifest_is_named_with_its_line(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach({})
    path = project.root / "deploy" / "stack.yaml"
    path.write_text(path.read_text().replace("memorySize", "memorySise"))

    done = understudy("diff")

    assert done.exit_code == 1
    assert "where: deploy/stack.yaml:14, spec.memorySise" in done.stderr
    assert "hint:  rename it to memorySize" in done.stderr


def test_an_overlay_that_is_not_there_is_named(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach({})
    (project.root / "deploy" / "kustomization.yaml").unlink()

    done = understudy("diff")

    assert done.exit_code == 1
    assert "deploy" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_is_another_name_for_it(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    reach(projects.exists(projects.image(project).digest, MemorySize=128))
    assert "memorySize: 128 -> 256" in understudy("plan").stdout


@pytest.mark.parametrize("command", ["diff", "diff -o json", "describe Function/shop"])
def test_a_secret_is_not_shown(
    command: str, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    environment = {"Variables": {"STAGE": "local", "DB_PASSWORD": "hunter2"}}
    reach(projects.exists(projects.image(project).digest, Environment=environment))

    done = understudy(*command.split())

    assert "DB_PASSWORD" in done.stdout
    assert "(hidden)" in done.stdout
    assert "hunter2" not in done.output

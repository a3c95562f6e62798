from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.errors import EnvironmentProblemError
from understudy.targets.workspace import Workspace

DOWN = EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up")


def test_without_a_stack_the_next_command_is_told(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach(down=DOWN)

    done = understudy("shell", "--", "id")

    assert done.exit_code == 3
    assert "./understudy up" in done.stderr

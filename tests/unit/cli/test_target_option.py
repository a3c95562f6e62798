import pytest

from tests.fakes import project as projects
from tests.fakes.gate import FakeGate
from tests.fakes.project import running_at
from tests.unit.cli.conftest import Reached, Understudy
from understudy.cli import target_option
from understudy.errors import EnvironmentProblemError
from understudy.targets import record
from understudy.targets.verification import Gate
from understudy.targets.workspace import Workspace


def test_the_local_target_is_where_the_stack_runs_now(project: Workspace) -> None:
    assert target_option.target_of(project, "local").endpoint_url == "http://localhost:4599"
    with record.claim(project.layout):
        assert target_option.target_of(project, "local").endpoint_url == "http://localhost:4599"
        record.write(project.layout, running_at("http://localhost:4577"))

        assert target_option.target_of(project, "local").endpoint_url == "http://localhost:4577"
        assert target_option.target_of(project, "preprod").endpoint_url is None
    assert target_option.target_of(project, "local").endpoint_url == "http://localhost:4599"


def test_images_carry_latest_outside_git(project: Workspace) -> None:
    assert target_option.image_tags(project) == ("latest",)


@pytest.mark.parametrize("command", ["get", "diff", "apply", "push", "logs", "invoke"])
def test_an_unknown_target_names_the_nearest(
    command: str, understudy: Understudy, project: Workspace
) -> None:
    done = understudy(command, "--target", "locla")

    assert done.exit_code == 1
    assert done.stderr == (
        "error[target-unknown]: target locla is not in the project file, which has: local, preprod\n"
        "  hint:  --target local\n"
    )


@pytest.mark.parametrize("command", ["apply", "push"])
def test_an_account_takes_no_image_without_proof(
    command: str,
    understudy: Understudy,
    project: Workspace,
    reach: Reached,
    gate: FakeGate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Gate, "find", lambda *_: "a proof of verify")
    target = reach(projects.exists(projects.image(project).digest, MemorySize=128))
    target.guarded = True

    done = understudy(command)

    assert (done.exit_code, target.fake.writes) == (1, [])
    assert "error[proof-e2e]" in done.stderr
    assert "./understudy e2e --target local" in done.stderr


@pytest.mark.parametrize("command", ["get", "diff", "apply", "push", "logs", "invoke", "describe Function/x"])
def test_without_a_stack_every_command_names_the_one_that_starts_it(
    command: str, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    reach({}, down=EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up"))

    done = understudy(*command.split())

    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.endswith("error[target-down]: nothing answers\n  hint:  ./understudy up\n")

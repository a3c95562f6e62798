import pytest

from tests.fakes import project as projects
from tests.fakes.gate import FakeGate
from tests.unit.cli.conftest import Reached, Understudy
from understudy.cli import confirm
from understudy.targets.workspace import Workspace


@pytest.mark.parametrize("command", ["apply", "push"])
def test_nothing_is_written_to_production_when_nobody_can_be_asked(
    command: str, understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate
) -> None:
    target = reach(projects.exists(projects.image(project).digest, MemorySize=128))
    target.production = True

    done = understudy(command)

    assert done.exit_code == 1
    assert "error[confirmation-missing]" in done.stderr
    assert "account 000000000000 in us-east-1, which is production" in done.stderr
    assert done.stderr.endswith("hint:  run the same command with --yes\n")
    assert target.fake.writes == []


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "writes"),
    [
        (["--yes"], "", 0, ["UpdateFunctionConfiguration"]),
        ([], "y\n", 0, ["UpdateFunctionConfiguration"]),
        ([], "\n", 130, []),
    ],
    ids=["yes", "confirmed", "declined"],
)
def test_production_is_written_to_when_somebody_said_yes(
    *,
    arguments: list[str],
    typed: str,
    code: int,
    writes: list[str],
    understudy: Understudy,
    project: Workspace,
    reach: Reached,
    gate: FakeGate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = projects.image(project).digest
    states = [projects.exists(digest, MemorySize=128), projects.exists(digest)]
    target = reach({**states[1], "GetFunction": [state["GetFunction"] for state in states]})
    target.production = True
    monkeypatch.setattr(confirm, "_interactive", lambda: True)

    done = understudy("apply", *arguments, typed=typed)

    assert done.exit_code == code, done.stderr
    assert target.fake.writes == writes
    if not arguments:
        assert "~ Function/shop\n    memorySize: 128 -> 256\n" in done.stderr
        assert "1 update on local" in done.stderr


def test_a_plan_without_writes_asks_nothing(
    understudy: Understudy, project: Workspace, reach: Reached, gate: FakeGate
) -> None:
    reach(projects.exists(projects.image(project).digest)).production = True
    assert understudy("apply").exit_code == 0

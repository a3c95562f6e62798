import json

import pytest

from tests.unit.cli.conftest import Understudy
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.sandbox import namespaces


def found(monkeypatch: pytest.MonkeyPatch, *problems: UnderstudyError) -> None:
    monkeypatch.setattr(namespaces, "check", lambda: list(problems))


def test_a_machine_that_can_do_everything_exits_with_zero(
    understudy: Understudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch)

    done = understudy("doctor", "--output", "json")

    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.exit_code == 0
    assert checks["sandbox"]["severity"] == "ok"


def test_what_up_cannot_work_without_exits_with_one_and_names_the_fix(
    understudy: Understudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, EnvironmentProblemError("no-userns", "namespaces are forbidden", hint="sysctl -w x=1"))

    done = understudy("doctor")

    assert done.exit_code == 1
    line = next(line for line in done.stdout.splitlines() if "no-userns" in line)
    assert line.split()[0] == "error"
    assert "sysctl -w x=1" in line


def test_a_constraint_that_cannot_be_enforced_is_a_warning(
    understudy: Understudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, UnderstudyError("no-cgroup", "memory is not limited", hint="run as root"))

    done = understudy("doctor")

    assert done.exit_code == 0
    assert next(line for line in done.stdout.splitlines() if "no-cgroup" in line).startswith("warning")


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_an_impossible_port_is_a_usage_error(port: str, understudy: Understudy) -> None:
    assert understudy("doctor", "--port", port).exit_code == 2

import importlib

import click
import pytest

from understudy.cli import root
from understudy.errors import EnvironmentProblemError, UnderstudyError


def _main(monkeypatch: pytest.MonkeyPatch, error: Exception) -> int:
    @click.command("status")
    def failing() -> None:
        raise error

    class Group(root.LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return failing

    monkeypatch.setattr(root, "group", Group("understudy"))
    with pytest.raises(SystemExit) as caught:
        root.main(["status"])
    return int(caught.value.code or 0)


def test_a_users_error_is_shown_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = UnderstudyError("image-unknown", "image x is unknown", hint="understudy build", where="here")

    assert _main(monkeypatch, error) == 1
    shown = capsys.readouterr().err
    assert shown == "error[image-unknown]: image x is unknown\n  where: here\n  hint:  understudy build\n"


def test_a_problem_of_the_machine_exits_with_three(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _main(monkeypatch, EnvironmentProblemError("no-net", "no network", hint="plug it in")) == 3


def test_a_bug_exits_with_seventy_and_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(monkeypatch, KeyError("ours")) == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert root.ISSUES in shown


def test_a_usage_error_exits_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        root.main(["no-such-command"])

    assert caught.value.code == 2
    assert "no-such-command" in capsys.readouterr().err


@pytest.mark.parametrize("name", root.LazyGroup().list_commands(click.Context(root.group)))
def test_every_listed_command_exists_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"understudy.cli.{name}")

    assert module.command.name == name
    assert module.command.get_short_help_str()

"""``--executor`` sets what this process and the engine that it starts go by."""

import os

import click
import pytest
from click.testing import CliRunner

from understudy.cli import executor_option
from understudy.sandbox import executors


@click.command()
@executor_option.executor_option
def command() -> None:
    click.echo(executors.chosen(os.environ))


@pytest.mark.parametrize(
    ("flags", "said"),
    [(["--executor", "docker"], "docker"), ([], "namespaces"), (["--executor=namespaces"], "namespaces")],
)
def test_the_flag_sets_the_variable(monkeypatch: pytest.MonkeyPatch, flags: list[str], said: str) -> None:
    monkeypatch.setenv(executors.VARIABLE, "namespaces")
    assert CliRunner().invoke(command, flags).output == f"{said}\n"


def test_an_unknown_executor_is_refused() -> None:
    assert CliRunner().invoke(command, ["--executor", "podman"]).exit_code == 2

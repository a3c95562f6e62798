import sys

import pytest

from tests.fakes.project import RECORD
from tests.unit.cli.conftest import Understudy
from understudy.cli import run
from understudy.targets import record
from understudy.targets.workspace import Workspace


def test_the_command_learns_everything_of_the_stack() -> None:
    assert run.variables(RECORD) == {
        "AWS_ENDPOINT_URL": RECORD.endpoint,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "test",
        "E2E_API_URL": RECORD.api_url,
        "E2E_DEV_URL": RECORD.dev_url,
        "E2E_FUNCTION": RECORD.function,
        "E2E_IMAGE_DIGEST": RECORD.image_digest,
    }


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ('test "$AWS_ENDPOINT_URL" = http://localhost:4577', 0),
        ("exit 7", 7),
        ("kill -TERM $$", 143),
    ],
    ids=["environment", "code", "signal"],
)
def test_the_code_of_the_command_is_the_code_of_run(
    script: str, code: int, understudy: Understudy, project: Workspace
) -> None:
    with record.claim(project.layout):
        record.write(project.layout, RECORD)

        assert understudy("run", "--", "sh", "-c", script).exit_code == code
        assert record.is_running(project.layout)


def test_what_comes_after_the_command_is_its_own(understudy: Understudy, project: Workspace) -> None:
    with record.claim(project.layout):
        record.write(project.layout, RECORD)
        done = understudy("run", "sh", "-c", 'test "$*" = "-- --help"', "sh", "--", "--help")

    assert (done.exit_code, done.stdout) == (0, "")


def test_a_command_that_does_not_exist_starts_no_stack(understudy: Understudy, project: Workspace) -> None:
    done = understudy("run", "--", "no-such-command")

    assert done.exit_code == 2
    assert "there is no command no-such-command" in done.stderr
    assert not project.layout.run.exists()


def test_a_stack_that_does_not_come_up_ends_with_its_code(
    understudy: Understudy, project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.root / "child"
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))

    assert understudy("run", "true").exit_code == 3

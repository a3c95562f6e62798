import json
from pathlib import Path

import pytest

from tests.fakes import invoked
from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from understudy.errors import EnvironmentProblemError
from understudy.targets.workspace import Workspace

HAS = {"GetFunctionConfiguration": projects.CONFIGURATION, "Invoke": invoked.answer(b'{"ok": true}')}


def test_the_answer_goes_to_stdout_and_the_log_to_stderr(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    fake = reach(HAS).fake

    done = understudy("invoke", "shop:live", "--payload", '{"a": 1}')

    assert (done.exit_code, done.stdout) == (0, '{"ok": true}\n')
    assert done.stderr == invoked.TAIL.decode()
    assert fake.params("Invoke") == {"FunctionName": "shop:live", "Payload": b'{"a": 1}', "LogType": "Tail"}


def test_a_function_that_failed_exits_with_one(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach({**HAS, "Invoke": invoked.answer(b"{}", error="Unhandled")})

    done = understudy("invoke", "shop", "-o", "json")

    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "payload": "{}",
        "function_error": "Unhandled",
        "version": "3",
        "log_tail": invoked.TAIL.decode(),
    }


def test_the_first_function_of_the_project_is_meant(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    projects.image(project)
    fake = reach(HAS).fake

    assert understudy("invoke", "--path", "/health?deep=1").exit_code == 0

    assert fake.params("Invoke")["FunctionName"] == "shop"
    event = json.loads(fake.params("Invoke")["Payload"])
    assert (event["rawPath"], event["rawQueryString"]) == ("/health", "deep=1")


def test_an_event_is_read_from_its_file(
    understudy: Understudy, project: Workspace, reach: Reached, tmp_path: Path
) -> None:
    fake = reach(HAS).fake
    (tmp_path / "event.json").write_bytes(b'{"from": "file"}')

    assert understudy("invoke", "shop", "--event", str(tmp_path / "event.json")).exit_code == 0

    assert fake.params("Invoke")["Payload"] == b'{"from": "file"}'


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--payload", "{bad"], "no JSON"),
        (["--payload", ""], "no JSON"),
        (["--event", "absent.json"], "'absent.json' does not exist"),
        (["--event", "app"], "is a directory"),
        (["--event", "understudy.yaml"], "understudy.yaml is no JSON"),
        (["--event", "bytes.json"], "bytes.json is no JSON"),
        (["--path", "health"], "does not start with /"),
        (["--path", "/", "--payload", "{}"], "use one"),
    ],
    ids=["payload", "empty", "no-file", "folder", "no-json", "no-utf8", "path", "two"],
)
def test_a_wrong_event_is_a_usage_error_and_nothing_is_sent(
    arguments: list[str], told: str, understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    fake = reach(HAS).fake
    (project.root / "bytes.json").write_bytes(b'"\xff\xfe')

    done = understudy("invoke", "shop", *arguments)

    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert fake.calls == []


def test_an_unknown_function_is_named_with_the_command_that_lists_them(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach(projects.NOTHING_EXISTS)

    done = understudy("invoke", "nobody")

    assert done.exit_code == 1
    assert "error[function-absent]: target local has no function nobody" in done.stderr
    assert "./understudy get Function" in done.stderr


def test_without_a_stack_the_command_to_start_it_is_told(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach({}, down=EnvironmentProblemError("target-down", "nothing answers", hint="./understudy up"))

    done = understudy("invoke", "shop")

    assert done.exit_code == 3
    assert done.stderr == "error[target-down]: nothing answers\n  hint:  ./understudy up\n"


def test_a_debugger_s_port_must_be_one_that_a_user_may_open(
    understudy: Understudy, project: Workspace
) -> None:
    assert understudy("invoke", "--debug", "80").exit_code == 2

"""Workflows, scripts, tox and docs/deploying.md call what exists; the deploy has the rights it needs."""

import os
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from tests.tools import require_tool
from understudy.cli import root
from understudy.targets import project

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
DEPLOY = FOLDER / "deploy.yml"
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))
_CALL = re.compile(r"(?:\./understudy|-m understudy) ([^|>)`#&\n]+)")
_SCRIPT = re.compile(r"deploy/(\w+)\.sh (\w+)([^|>)\n]*)")
_VALUES = {"$CANARY": "10%/5m"}


def _workflow(path: Path) -> dict[str, Any]:
    # BaseLoader: in YAML 1.1 the key `on` is a truth value.
    found: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)
    return found


def _commands(path: Path) -> str:
    """What a workflow runs."""
    jobs = _workflow(path)["jobs"].values()
    return "\n".join(step["run"] for job in jobs for step in job["steps"] if "run" in step)


def _tox() -> ConfigParser:
    found = ConfigParser(interpolation=None)
    found.read(ROOT / "tox.ini")
    return found


def _arguments(text: str) -> list[str]:
    return [_VALUES.get(one, one) for one in shlex.split(text) if one not in ("$@", "{posargs}")]


def _through(script: str, target: str, options: str) -> list[str]:
    """What a script of deploy/ hands to understudy."""
    (call,) = _CALL.findall((ROOT / "deploy" / f"{script}.sh").read_text())
    return [*_arguments(call.replace("$target", target)), *_arguments(options)]


def _calls() -> dict[str, list[str]]:
    """The arguments of every call of understudy, by where it stands and what it is."""
    texts = {path.name: _commands(path) for path in FOLDER.glob("*.yml")}
    texts["deploying.md"] = (ROOT / "docs" / "deploying.md").read_text()
    texts["tox.ini"] = (ROOT / "tox.ini").read_text()
    calls = {f"{name}: {one}": _arguments(one) for name, text in texts.items() for one in _CALL.findall(text)}
    used = [found for text in texts.values() for found in _SCRIPT.findall(text)]
    for script, target, options in [*used, *((path.stem, "preprod", "") for path in SCRIPTS)]:
        calls[f"{script}.sh {target}{options}"] = _through(script, target, options)
    return calls


@pytest.mark.parametrize("arguments", [pytest.param(call, id=name) for name, call in _calls().items()])
def test_a_call_is_one_that_understudy_takes(arguments: list[str]) -> None:
    command: click.Command | None = root.group
    while isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.get_command(click.Context(command), name)
    assert command is not None, name
    parameters = command.make_context(name, list(arguments)).params

    if "target_name" in parameters:
        assert parameters["target_name"] in project.load(ROOT / project.FILE_NAME).targets
    if name == "test" and arguments:
        assert f"testenv:{arguments[1]}" in _tox()


def test_every_target_has_its_environment_of_tox() -> None:
    tox = _tox()
    for name in project.load(ROOT / project.FILE_NAME).targets:
        assert f"understudy e2e --target {name} " in tox[f"testenv:e2e-{name}"]["commands"]
    # A local target never sees the user's own credentials.
    assert "AWS_" not in tox["testenv"]["pass_env"]
    assert [name for name in tox.sections() if "AWS_*" in tox[name].get("pass_env", "")] == [
        "testenv:e2e-preprod"
    ]


def test_a_suite_without_credentials_is_an_error(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "understudy", "e2e", "--target", "preprod"],
        env={**environment, "AWS_EC2_METADATA_DISABLED": "true"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "aws-credentials" in done.stderr


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_actions_are_pinned_and_rights_are_asked_for_one_by_one(path: Path) -> None:
    text, workflow = path.read_text(), _workflow(path)
    for line in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    # A checkout leaves no token behind for what is run later.
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


def test_only_the_job_that_deploys_may_ask_for_a_token() -> None:
    jobs = _workflow(DEPLOY)["jobs"]
    asking = [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})]

    assert asking == ["preprod"]
    assert jobs["preprod"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["preprod"]["environment"]["name"] == "preprod"
    assert jobs["preprod"]["needs"] == "prove"
    # What is deploying is never cut off by the next push.
    assert _workflow(DEPLOY)["concurrency"]["cancel-in-progress"] == "false"


def test_no_key_of_aws_is_kept() -> None:
    text = DEPLOY.read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"UNDERSTUDY_PROOF_KEY"}
    assert "aws-access-key-id" not in text


def test_cold_starts_are_measured_before_there_are_credentials() -> None:
    proving = _workflow(DEPLOY)["jobs"]["prove"]["steps"]
    measured = [step["run"] for step in proving if "understudy coldstart" in step.get("run", "")]
    kept = [step["run"] for step in proving if "tar --create" in step.get("run", "")]

    # As preprod runs it, and in the place where the deploy looks before it would boot anything.
    assert ["--target preprod --sandbox" in one for one in measured] == [True]
    assert [".understudy/coldstart" in one for one in kept] == [True]


def test_the_digest_is_compared_before_there_are_credentials() -> None:
    steps = _workflow(DEPLOY)["jobs"]["preprod"]["steps"]
    compared = next(i for i, step in enumerate(steps) if "./understudy build" in step.get("run", ""))
    credentials = next(i for i, step in enumerate(steps) if "configure-aws" in step.get("uses", ""))
    assert compared < credentials


def test_shell_scripts_are_clean() -> None:
    scripts = [*SCRIPTS, ROOT / ".ci" / "run", ROOT / "understudy", ROOT / "requirements" / "lock.sh"]
    done = subprocess.run([require_tool("shellcheck"), *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert [path.name for path in scripts if not path.stat().st_mode & 0o100] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_the_shell_of_a_workflow_is_clean(path: Path) -> None:
    done = subprocess.run(
        # SC2024: files that sudo does not write are the intention. GitHub's expressions stand in env: alone.
        [require_tool("shellcheck"), "--shell=bash", "--severity=warning", "--exclude=SC2024", "-"],
        input=f"set -e\n{_commands(path)}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "${{" not in _commands(path)
    assert done.returncode == 0, done.stdout

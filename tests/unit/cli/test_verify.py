import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import findings
from tests.fakes import project as projects
from tests.fakes.findings import finding
from tests.unit.cli.conftest import Understudy
from understudy.image.model import Image
from understudy.image.store import Store, attachments
from understudy.targets.workspace import Workspace
from understudy.verify import run, subject
from understudy.verify.report import Report
from understudy.verify.run import Request

FAILED = replace(findings.BOOT, passed=False)


class Runs:
    """Plays `run.verify`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.findings: tuple[Any, ...] = ()
        self.boot: Any = findings.BOOT

    def __call__(self, request: Request, places: run.Places, progress: run.Progress) -> Report:
        self.requests.append(request)
        made = findings.report(self.findings, boot=self.boot, allowed=request.allowed)
        try:
            image = places.store.image(request.reference)
        except Exception:  # noqa: BLE001 - an image that is not in the store
            return replace(made, reference=request.reference)
        launch = subject.effective_launch(image.config, request.launch)
        return replace(made, reference=request.name, digest=image.digest, launch=launch)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(run, "verify", made)
    return made


@pytest.fixture
def image(project: Workspace) -> Image:
    return projects.image(project)


def proofs(project: Workspace, image: Image) -> int:
    return len(attachments.attached(Store(project.layout.store), image.digest))


def test_the_projects_image_as_its_function_runs_it(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    done = understudy("verify")

    assert done.exit_code == 0, done.output
    (request,) = runs.requests
    assert (request.reference, request.name) == (image.digest, "shop")
    assert (request.launch.function_name, request.launch.memory_mb) == ("shop", 256)
    assert "✓ starts on Lambda" in done.stdout
    assert "  proof   sha256:" in done.stdout
    assert proofs(project, image) == 1


@pytest.mark.parametrize("name", ["shop", "shop:latest"])
def test_a_project_image_can_be_named(
    name: str, understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    assert understudy("verify", name).exit_code == 0
    assert runs.requests[0].launch.function_name == "shop"


def test_a_failing_image_exits_1_and_the_cause_is_on_stdout(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    runs.findings, runs.boot = (finding(),), FAILED

    done = understudy("verify")

    assert done.exit_code == 1
    assert "✗ abi-mismatch" in done.stdout
    assert "app/Dockerfile:1" in done.stdout
    assert proofs(project, image) == 0


@pytest.mark.parametrize(
    "options",
    [("--static",), ("--network", "host"), ("--handler", "other.handler"), ("--event", "event.json")],
    ids=["static", "network", "handler", "event"],
)
def test_a_run_that_left_something_out_proves_nothing(
    options: tuple[str, ...], understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    (project.root / "event.json").write_text("{}")

    done = understudy("verify", *options)

    assert done.exit_code == 0, done.output
    assert proofs(project, image) == 0
    assert "proof" not in done.stdout


def test_options_reach_the_verification(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    (project.root / "event.json").write_text('{"a": 1}')
    understudy(
        *("verify", "--handler", "other.handler", "--event", "event.json", "--network", "host"),
        *("--allow", "bytecode-stale=measured"),
    )
    (request,) = runs.requests
    assert request.launch.command == ("other.handler",)
    assert [(event.name, event.payload) for event in request.events] == [("event.json", b'{"a": 1}')]
    assert request.network == "host"
    assert request.allowed == {"bytecode-stale": "measured"}


def test_an_event_that_is_no_json_is_usage(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    (project.root / "event.json").write_text("{")
    done = understudy("verify", "--event", "event.json")
    assert done.exit_code == 2
    assert "event.json is no JSON" in done.stderr


@pytest.mark.parametrize(
    ("output", "start"), [("json", '{\n  "passed"'), ("sarif", '{\n  "$schema"'), ("markdown", "### ✅")]
)
def test_outputs_for_programs_are_the_only_thing_on_stdout(
    output: str, start: str, understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    done = understudy("verify", "--output", output)
    assert done.exit_code == 0
    assert done.stdout.startswith(start)


def test_json_names_the_proof(understudy: Understudy, project: Workspace, image: Image, runs: Runs) -> None:
    (found,) = json.loads(understudy("verify", "-o", "json").stdout)["images"]
    (entry,) = attachments.attached(Store(project.layout.store), image.digest)
    assert found["proof"] == entry.digest


def test_an_image_of_somebody_else_is_launched_as_no_function(
    understudy: Understudy, project: Workspace, runs: Runs
) -> None:
    done = understudy("verify", "docker://other:1")
    assert done.exit_code == 0, done.output
    (request,) = runs.requests
    assert (request.reference, request.launch.function_name) == ("docker://other:1", "")


def test_an_image_of_somebody_else_as_a_function_of_the_project_runs_it(
    understudy: Understudy, project: Workspace, runs: Runs
) -> None:
    understudy("verify", "docker://other:1", "--function", "shop")
    assert runs.requests[0].launch.memory_mb == 256


def test_an_unknown_function_is_usage_and_the_known_ones_are_named(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs
) -> None:
    done = understudy("verify", "--function", "shp")
    assert done.exit_code == 2
    assert "no Function shp" in done.stderr
    assert "shop" in done.stderr
    assert runs.requests == []


def test_outside_a_project_an_image_can_be_verified(
    understudy: Understudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Runs
) -> None:
    monkeypatch.chdir(tmp_path)
    assert understudy("verify", "image.tar").exit_code == 0
    assert runs.requests[0].reference == "image.tar"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [(), ("image.tar", "--function", "shop")])
def test_outside_a_project_what_needs_one_is_refused(
    arguments: tuple[str, ...],
    understudy: Understudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: Runs,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = understudy("verify", *arguments)
    assert done.exit_code == 1
    assert "project-missing" in done.stderr


def test_an_image_that_was_not_built_comes_with_the_command(
    understudy: Understudy, project: Workspace, runs: Runs
) -> None:
    done = understudy("verify")
    assert done.exit_code == 1
    assert "./understudy build shop" in done.stderr


def test_a_running_stack_is_within_reach(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy.targets import record

    monkeypatch.setattr(record, "read", lambda _: projects.RECORD)
    understudy("verify")
    assert runs.requests[0].endpoint == projects.RECORD.endpoint

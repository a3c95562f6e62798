import json
from dataclasses import replace

import pytest

from tests.fakes import findings
from tests.fakes import project as projects
from tests.fakes.findings import finding
from tests.fakes.verify import Runs
from tests.unit.cli.conftest import Understudy
from understudy.image.model import Image
from understudy.image.store import Store, attachments
from understudy.targets.workspace import Workspace

FAILED = replace(findings.BOOT, passed=False)


def proofs(project: Workspace, image: Image) -> int:
    return len(attachments.attached(Store(project.layout.store), image.digest))


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


def test_a_running_stack_is_within_reach(
    understudy: Understudy, project: Workspace, image: Image, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy.targets import record

    monkeypatch.setattr(record, "read", lambda _: projects.RECORD)
    understudy("verify")
    assert runs.requests[0].endpoint == projects.RECORD.endpoint

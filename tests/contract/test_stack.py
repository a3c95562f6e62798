"""`understudy up` and `down` for real: a Dockerfile becomes a Lambda behind an HTTP API; nothing is left."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract import stack_project
from tests.contract.stack_project import StackProject

_WITHIN_S = 180.0


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=30, trust_env=False)


def _until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> StackProject:
    return stack_project.copy(tmp_path_factory.mktemp("stack") / "project")


@pytest.fixture
def running(project: StackProject) -> Iterator[dict[str, Any]]:
    yield project.up()
    project.understudy("down")


def test_the_api_and_the_dev_server_answer_from_the_same_app(
    project: StackProject, running: dict[str, Any]
) -> None:
    through_lambda, through_uvicorn = (
        _get(running["api_url"] + "/health"),
        _get(running["dev_url"] + "/health"),
    )

    assert (through_lambda.status_code, through_uvicorn.status_code) == (200, 200)
    assert through_lambda.json() == through_uvicorn.json()
    assert _get(running["api_url"] + "/ready").status_code == 200
    status = json.loads(project.understudy("status", "--output", "json").stdout)
    assert status["image_digest"] == running["image_digest"]
    rendered = project.understudy("render")
    assert (rendered.returncode, rendered.stderr) == (0, "")
    assert running["image_digest"] in rendered.stdout
    assert "${" not in rendered.stdout, "something that a running stack knows was left open"


def test_a_save_reaches_the_dev_server_and_the_lambda(project: StackProject, running: dict[str, Any]) -> None:
    path = project.folder / "service" / "dashboard" / "health.py"
    text = path.read_text()
    changed = text.replace("version=services.settings.version", 'version="edited"')
    assert changed != text

    path.write_text(changed)

    for url in (running["api_url"], running["dev_url"]):
        _until(lambda url=url: '"edited"' in _get(url + "/health").text, f"the edit is not live at {url}")
    digest = json.loads(project.understudy("status", "--output", "json").stdout)["image_digest"]
    assert digest != running["image_digest"]
    path.write_text(text)


def test_a_broken_save_is_told_and_what_ran_goes_on(project: StackProject, running: dict[str, Any]) -> None:
    dockerfile = project.folder / "service" / "Dockerfile"
    text = dockerfile.read_text()
    events = project.folder / ".understudy" / "run" / "up.events"

    dockerfile.write_text(text + "NONSENSE here\n")

    _until(lambda: '"Failed"' in events.read_text(), "the failure was not reported")
    assert "NONSENSE" in events.read_text()
    assert _get(running["api_url"] + "/health").status_code == 200
    dockerfile.write_text(text)


def test_down_leaves_no_process_and_no_mount(project: StackProject) -> None:
    project.up("--no-watch")

    assert project.understudy("down").stdout == "stopped\n"

    assert project.processes() == []
    assert project.leftovers() == []
    assert project.understudy("down").stdout == "nothing was running\n"


def test_kill_9_of_the_stack_leaves_no_process_and_no_mount(project: StackProject) -> None:
    running = project.up("--no-watch")
    assert _get(running["api_url"] + "/health").status_code == 200

    os.kill(running["pid"], signal.SIGKILL)

    _until(lambda: project.processes() == [], "processes are left")
    assert project.leftovers() == []
    assert project.understudy("status").returncode == 1


def test_state_survives_a_restart(project: StackProject) -> None:
    user, new = {"X-User-ID": "restart"}, {"name": "Kept", "tickers": ["AAPL"]}
    first = project.up("--no-watch", "--no-dev")
    created = httpx.post(
        first["api_url"] + "/api/v2/configurations", headers=user, json=new, timeout=30, trust_env=False
    )
    assert created.status_code == 201
    project.understudy("down")

    second = project.up("--no-watch", "--no-dev")

    read = httpx.get(
        second["api_url"] + created.headers["location"], headers=user, timeout=30, trust_env=False
    )
    assert second["api_url"] == first["api_url"]
    assert (read.status_code, read.json()["name"]) == (200, "Kept")
    project.understudy("down")


def test_a_second_up_in_the_same_project_is_refused_with_the_next_command(
    project: StackProject, running: dict[str, Any]
) -> None:
    second = project.understudy("up", "--detach", "--port", str(project.port))

    assert second.returncode == 1
    assert "already-running" in second.stderr
    assert "understudy down" in second.stderr


def test_outside_a_project_the_error_names_the_file(tmp_path: Path) -> None:
    lost = StackProject(folder=tmp_path, port=1, dev_port=1).understudy("up")

    assert lost.returncode == 1
    assert "understudy.yaml" in lost.stderr
    assert "Traceback" not in lost.stderr


def test_a_save_is_verified_after_its_release_and_its_proof_follows(
    project: StackProject, running: dict[str, Any]
) -> None:
    path = project.folder / "service" / "dashboard" / "health.py"
    text = path.read_text()
    path.write_text(text + "\n# proved later\n")

    def proofs() -> list[Any]:
        digest = json.loads(project.understudy("status", "--output", "json").stdout)["image_digest"]
        if digest == running["image_digest"]:
            return []
        listed: list[Any] = _get(f"{running['endpoint']}/v2/dashboard/referrers/{digest}").json()["manifests"]
        return listed

    _until(proofs, "the save got no proof")
    path.write_text(text)


def test_a_save_that_would_not_start_on_lambda_is_told_with_its_cause(
    project: StackProject, running: dict[str, Any]
) -> None:
    path = project.folder / "service" / "handler.py"
    text = path.read_text()
    events = project.folder / ".understudy" / "run" / "up.events"
    path.write_text("import no_such_module\n" + text)

    def failed() -> list[str]:
        told = [json.loads(line) for line in events.read_text().splitlines()]
        return [
            one["error"] for one in told if one["event"] == "Failed" and one["step"] == "verify dashboard"
        ]

    _until(failed, "the failure was not told")

    assert "it runs on local AWS only" in failed()[0]
    assert "No module named 'no_such_module'" in failed()[0]
    path.write_text(text)

"""The gate before a push, for real: a proof that foreign tools read, a broken image that goes nowhere."""

import base64
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.contract import stack_project
from tests.contract.stack_project import StackProject
from tests.tools import require_tool
from understudy.image.store import Store
from understudy.verify import dsse
from understudy.verify.signing import Key

ARTIFACT_TYPE = "application/vnd.understudy.proof.verify.v1+json"
BREAK = "\nRUN rm /var/lang/lib/python3.13/site-packages/pydantic_core/_pydantic_core*.so\n"
MISSING = "No module named 'pydantic_core._pydantic_core'"


def _get(url: str, *, accept: str = "*/*", **query: str) -> httpx.Response:
    return httpx.get(url, params=query, timeout=30, trust_env=False, headers={"Accept": accept})


def _break(project: StackProject) -> str:
    """Lets the image lose its extension module; returns the Dockerfile as it was."""
    path = project.folder / "service" / "Dockerfile"
    text = path.read_text()
    path.write_text(text + BREAK)
    return text


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> StackProject:
    return stack_project.copy(tmp_path_factory.mktemp("gate") / "project")


@pytest.fixture(scope="module")
def running(project: StackProject) -> Iterator[dict[str, Any]]:
    yield project.up("--no-dev", "--no-watch")
    project.understudy("down")


def _pushed(project: StackProject) -> list[str]:
    """Digests of every manifest that the engine's registry holds."""
    path = project.folder / ".understudy" / "engine.sqlite"
    databases = [path] if path.exists() else list((project.folder / ".understudy").rglob("*.sqlite"))
    found: list[str] = []
    for database in databases:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
            tables = {row[0] for row in opened.execute("SELECT name FROM sqlite_master")}
            if "ecr_images" in tables:
                found += [row[0] for row in opened.execute("SELECT digest FROM ecr_images")]
        opened.close()
    return found


def test_a_passing_image_has_a_signed_proof_next_to_it(
    project: StackProject, running: dict[str, Any]
) -> None:
    digest = running["image_digest"]
    base = f"{running['endpoint']}/v2/dashboard"

    listed = _get(f"{base}/referrers/{digest}", artifactType=ARTIFACT_TYPE)
    (entry,) = listed.json()["manifests"]
    manifest = _get(f"{base}/manifests/{entry['digest']}", accept=entry["mediaType"]).json()
    envelope = _get(f"{base}/blobs/{manifest['layers'][0]['digest']}").content

    assert listed.headers["oci-filters-applied"] == "artifactType"
    assert manifest["subject"]["digest"] == digest
    assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    key = Key.load(project.folder / ".understudy" / "proof-key.pem")
    statement = json.loads(key.check(dsse.parse(envelope)))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["digest"]["sha256"] == digest.removeprefix("sha256:")
    assert any("user" in one for one in statement["predicate"]["boot"]["constraints"])
    assert statement["predicate"]["figures"]["initMs"] > 0
    assert _get(f"{base}/referrers/{digest}", artifactType="application/other").json()["manifests"] == []


def test_skopeo_and_openssl_read_the_proof(
    project: StackProject, running: dict[str, Any], tmp_path: Path
) -> None:
    base = f"{running['endpoint']}/v2/dashboard"
    (entry,) = _get(f"{base}/referrers/{running['image_digest']}").json()["manifests"]
    host = running["endpoint"].removeprefix("http://")

    subprocess.run(
        [
            *(require_tool("skopeo"), "copy", "--src-tls-verify=false"),
            *(f"docker://{host}/dashboard@{entry['digest']}", f"dir:{tmp_path / 'proof'}"),
        ],
        check=True,
        capture_output=True,
    )

    manifest = json.loads((tmp_path / "proof" / "manifest.json").read_text())
    digest = manifest["layers"][0]["digest"].removeprefix("sha256:")
    envelope = json.loads((tmp_path / "proof" / digest).read_text())
    payload = base64.b64decode(envelope["payload"])
    (tmp_path / "signed").write_bytes(dsse.pre_authentication(envelope["payloadType"], payload))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    checked = subprocess.run(
        [
            *("openssl", "pkeyutl", "-verify", "-rawin", "-in", tmp_path / "signed"),
            *("-inkey", project.folder / ".understudy" / "proof-key.pem"),
            *("-sigfile", tmp_path / "signature"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Signature Verified Successfully" in checked.stdout, checked.stderr


def test_a_proved_image_is_not_verified_again(project: StackProject, running: dict[str, Any]) -> None:
    done = project.understudy("deploy")
    assert done.returncode == 0, done.stderr
    assert "proved before" in done.stderr
    assert running["image_digest"] in done.stdout


@pytest.mark.parametrize("command", [("deploy",), ("apply",), ("push",)], ids=lambda command: command[0])
def test_a_broken_image_is_not_pushed_and_the_cause_is_on_screen(
    command: tuple[str, ...], project: StackProject, running: dict[str, Any]
) -> None:
    before = _pushed(project)
    text = _break(project)
    try:
        if command != ("deploy",):
            assert project.understudy("build").returncode == 0
        done = project.understudy(*command)
    finally:
        (project.folder / "service" / "Dockerfile").write_text(text)
        assert project.understudy("build").returncode == 0

    assert done.returncode == 1
    assert "error[verify-failed]" in done.stderr
    assert MISSING in done.stderr
    assert "  fix  " in done.stderr
    assert _pushed(project) == before
    assert _get(running["api_url"] + "/health").status_code == 200


def test_up_stops_before_any_push(tmp_path: Path) -> None:
    project = stack_project.copy(tmp_path / "project")
    _break(project)

    done = project.understudy(
        "up", "--detach", "--no-dev", "--port", str(project.port), "--dev-port", str(project.dev_port)
    )

    assert done.returncode == 1
    assert MISSING in done.stderr
    assert "service/Dockerfile" in done.stderr
    assert "Traceback" not in done.stderr
    assert _pushed(project) == []
    assert project.processes() == []


def test_no_image_has_a_finding_above_information(project: StackProject) -> None:
    assert project.understudy("build").returncode == 0
    found = json.loads(project.understudy("verify", "--output", "json").stdout)
    assert found["passed"] is True
    assert len(found["images"]) == 3
    for image in found["images"]:
        assert [cause["rule"] for cause in image["causes"] if cause["severity"] != "info"] == []
        assert Store(project.folder / ".understudy" / "store").has(image["proof"])


def test_the_workflows_commands_say_and_upload_the_cause(tmp_path: Path) -> None:
    """The `run:` lines of the workflow, as a runner executes them; its sudo is ours, because we are root."""
    project = stack_project.copy(tmp_path / "project")
    _break(project)
    tools = tmp_path / "bin"
    tools.mkdir()
    for path, script in (
        (tools / "sudo", 'exec "$@"'),
        (project.folder / "understudy", f'exec "{sys.executable}" -m understudy "$@"'),
    ):
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(stack_project.ROOT / "src"),
        "PYTHON": sys.executable,
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    workflow = yaml.safe_load((stack_project.ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["verify"]["steps"]
    codes = [
        subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=project.folder, env=environment, check=False
        ).returncode
        for step in steps
        if "run" in step
    ]

    assert codes == [0, 1, 1, 1], "built, refused twice, and not to be measured"
    assert any("upload-sarif" in step.get("uses", "") and "always()" in step["if"] for step in steps)
    log = json.loads((project.folder / "verify.sarif").read_text())
    errors = [result for result in log["runs"][0]["results"] if result["level"] == "error"]
    assert MISSING in errors[0]["message"]["text"]
    locations = [one["physicalLocation"]["artifactLocation"]["uri"] for one in errors[0]["locations"]]
    assert "service/Dockerfile" in locations
    assert "fails on Lambda" in (tmp_path / "summary.md").read_text()

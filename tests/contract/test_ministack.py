"""`understudy deploy --target localstack` against MiniStack in Docker: what runs here runs there."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.contract import ministack_docker, stack_project
from tests.contract.ministack_docker import MiniStack
from tests.contract.stack_project import ROOT, StackProject

FUNCTION, ALIAS = "dashboard", "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What one deploy said, and where."""

    project: StackProject
    ministack: MiniStack
    report: dict[str, Any]

    @property
    def digest(self) -> str:
        """The digest that was built and verified."""
        found: str = self.report["images"][FUNCTION]
        return found


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("ministack")
    project = stack_project.copy(folder / "project")
    _suite(project.folder)
    _commit(project.folder)
    built = project.understudy("build")
    assert built.returncode == 0, built.stderr
    store, hooks = project.folder / ".understudy" / "store", project.folder / "localstack-init"
    with ministack_docker.running(folder, store, "dashboard:latest", hooks) as ministack:
        _point(project.folder / "understudy.yaml", ministack.url)
        yield Deployed(project=project, ministack=ministack, report=_deploy(project))


def _suite(folder: Path) -> None:
    """The end-to-end suite, as this checkout has it."""
    shutil.copytree(
        ROOT / "tests" / "e2e", folder / "tests" / "e2e", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("tests/__init__.py", "pyproject.toml"):
        shutil.copyfile(ROOT / name, folder / name)


def _commit(folder: Path) -> None:
    """Images are tagged with the commit that they were built from."""
    git = (
        "git",
        "-C",
        str(folder),
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "commit.gpgSign=false",
    )
    (folder / ".gitignore").write_text(".understudy/\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "tests: Start"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)


def _point(path: Path, url: str) -> None:
    before, section, after = path.read_text().partition("  localstack:")
    assert section
    path.write_text(before + section + after.replace("http://localhost:4566", url, 1))


def _deploy(project: StackProject) -> dict[str, Any]:
    done = project.understudy("deploy", "--target", "localstack", "--output", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _client(deployed: Deployed, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=deployed.ministack.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_a_second_deploy_changes_nothing(deployed: Deployed) -> None:
    assert set(_deploy(deployed.project)["applied"].values()) == {"unchanged"}


def test_the_suite_passes_but_for_what_ministack_lacks_and_is_not_recorded(deployed: Deployed) -> None:
    # MiniStack runs functions by AWS's emulator, which does not stream, and drops what fails behind a stream.
    cannot = (
        "test_a_page_hears_of_its_own_change",
        "test_a_poisoned_record_ends_in_the_queue_and_holds_nobody_up",
    )
    done = deployed.project.understudy(
        "e2e", "--target", "localstack", "-q", "-k", f"not ({' or '.join(cannot)})"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(cannot)} deselected" in done.stdout
    # A proof is of the whole suite.
    assert "no record: the arguments may leave tests out" in done.stderr
    assert "recorded for" not in done.stderr


def test_the_digest_reads_back_everywhere(deployed: Deployed) -> None:
    images = _client(deployed, "ecr").describe_images(repositoryName=FUNCTION)["imageDetails"]
    function = _client(deployed, "lambda").get_function(FunctionName=FUNCTION, Qualifier=ALIAS)
    _client(deployed, "lambda").invoke(FunctionName=FUNCTION, Qualifier=ALIAS, Payload=b"{}")
    containers = [one for one in deployed.ministack.functions() if f"/{FUNCTION}@" in one["Config"]["Image"]]

    # Beside it lie its proof and the index that lists the proof.
    assert [one["imageDigest"] for one in images if "latest" in one["imageTags"]] == [deployed.digest]
    assert function["Code"]["ImageUri"].rpartition("@")[2] == deployed.digest
    assert containers
    # What Docker was asked to run, by digest: it checks the bytes that it pulls against it.
    assert {one["Config"]["Image"].rpartition("@")[2] for one in containers} == {deployed.digest}


def test_the_engine_runs_the_same_digest(deployed: Deployed) -> None:
    running = deployed.project.up("--no-dev", "--no-watch")
    try:
        assert running["image_digest"] == deployed.digest
    finally:
        deployed.project.understudy("down")

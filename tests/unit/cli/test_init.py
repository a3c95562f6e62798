import json
from pathlib import Path

import pytest

from tests.fakes.repository import ORDERS
from tests.unit.cli.conftest import Understudy


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "orders"
    for path, text in ORDERS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    monkeypatch.chdir(root)
    return root


def test_writes_what_is_missing_and_says_what_is_left_to_do(understudy: Understudy, repository: Path) -> None:
    done = understudy("init")

    assert done.exit_code == 0, done.output
    assert "write  understudy.yaml\n" in done.stdout
    assert "note   STAGE: app/main.py:7 fails without it" in done.stderr
    assert ".understudy/" in done.stderr
    assert (repository / "deploy" / "base" / "orders.yaml").is_file()


def test_a_second_run_changes_nothing_and_keeps_what_was_edited(
    understudy: Understudy, repository: Path
) -> None:
    understudy("init")
    api = repository / "deploy" / "base" / "api.yaml"
    api.write_text("# mine\n")

    done = understudy("init", "--output", "json")

    outcomes = {one["path"]: one["outcome"] for one in json.loads(done.stdout)["files"]}
    assert outcomes.pop("deploy/base/api.yaml") == "kept"
    assert set(outcomes.values()) == {"same"}
    assert api.read_text() == "# mine\n"


def test_a_dry_run_writes_nothing(understudy: Understudy, repository: Path) -> None:
    assert "dry run: nothing was written" in understudy("init", "--dry-run").stderr
    assert not (repository / "understudy.yaml").exists()


def test_a_folder_or_a_dockerfile_can_be_named(
    understudy: Understudy, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert understudy("init", "Dockerfile", "--dry-run").exit_code == 0
    monkeypatch.chdir(repository.parent)

    assert understudy("init", "orders").exit_code == 0

    assert (repository / "understudy.yaml").is_file()


@pytest.mark.parametrize("arguments", [("--account", "12"), ("--table", "users"), ("--table", "users=a,b,c")])
def test_what_cannot_be_meant_is_refused(
    arguments: tuple[str, str], understudy: Understudy, repository: Path
) -> None:
    assert understudy("init", *arguments).exit_code == 2


def test_a_template_is_read_in_the_code_s_place(understudy: Understudy, repository: Path) -> None:
    (repository / "serverless.yml").write_text("functions: {a: {handler: a.b}}\n")

    done = understudy("init", "--from", "serverless.yml")

    assert done.exit_code == 1
    assert "error[init-template]" in done.stderr
    assert "--from" in understudy("init", "--from", "no.yaml").stderr

"""Hooks: found in LocalStack's order, pointed at the engine, reported in LocalStack's words."""

from pathlib import Path

import pytest

from understudy.engine import hooks
from understudy.engine.hooks import Hooks, ScriptState, Stage


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "ready.d/20_b.sh",
        "ready.d/10_a.py",
        "ready.d/sub/1.sh",
        "ready.d/readme.txt",
        "boot.d/x.sh",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_finds_scripts_by_suffix_in_alphabetical_order(root: Path) -> None:
    names = [str(path.relative_to(root)) for path in hooks.find_scripts(root, Stage.READY)]
    assert names == ["ready.d/10_a.py", "ready.d/20_b.sh", "ready.d/sub/1.sh"]
    assert hooks.find_scripts(root, Stage.SHUTDOWN) == []


def test_points_scripts_at_the_engine_with_dummy_credentials() -> None:
    environ = hooks.environment("http://localhost:4566")
    assert environ["AWS_ENDPOINT_URL"] == "http://localhost:4566"
    assert environ["AWS_ACCESS_KEY_ID"] == "test"
    assert environ["AWS_DEFAULT_REGION"] == "us-east-1"


async def test_without_a_folder_every_stage_completes() -> None:
    none = Hooks(None)
    assert none.document(Stage.READY) == {"completed": False, "scripts": []}
    await none.run(Stage.READY, {})
    assert none.document() == {
        "completed": {"BOOT": False, "START": False, "READY": True, "SHUTDOWN": False},
        "scripts": [],
    }


def test_scripts_are_known_before_their_stage(root: Path) -> None:
    document = Hooks(root).document(Stage.BOOT)
    assert document == {
        "completed": False,
        "scripts": [{"stage": "BOOT", "name": "x.sh", "state": "UNKNOWN"}],
    }


def test_a_script_shows_as_in_localstack() -> None:
    script = hooks.Script(stage=Stage.READY, path=Path("/x/seed.py"), state=ScriptState.ERROR)
    assert script.document() == {"stage": "READY", "name": "seed.py", "state": "ERROR"}

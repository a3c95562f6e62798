import json
import sys
from pathlib import Path

import pytest

from understudy.errors import EnvironmentProblemError
from understudy.targets.engine_process import EngineProcess
from understudy.targets.layout import Layout

ENGINE = """\
#!{python}
import json, os, pathlib, signal, sys
told = json.loads(sys.argv[sys.argv.index("--config") + 1])
told["environment"] = dict(os.environ)
told["argv"] = sys.argv[1:]
run = pathlib.Path(told["data_dir"]) / "run"
(run / "told.json").write_text(json.dumps(told))
{behaviour}
"""
READY = """\
signal.signal(signal.SIGTERM, lambda *_: (run.joinpath("ended").touch(), os._exit(0)))
(run / "engine.tmp").write_text(json.dumps({"endpoint": "http://localhost:4577"}))
(run / "engine.tmp").rename(run / "engine.json")
signal.pause()
"""


def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: str) -> EngineProcess:
    """An engine process whose engine is a script of this test."""
    path = tmp_path / "python"
    path.write_text(ENGINE.format(python=sys.executable, behaviour=behaviour))
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    return EngineProcess(Layout(root=tmp_path), port=4577, hooks_dir=tmp_path / "hooks")


def test_starts_answers_with_the_endpoint_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the user's own")
    monkeypatch.setenv("AWS_PROFILE", "the user's own")
    found = engine(tmp_path, monkeypatch, READY)
    assert not found.is_alive()

    assert found.start() == "http://localhost:4577"

    assert found.is_alive()
    told = json.loads((tmp_path / ".understudy" / "run" / "told.json").read_text())
    assert told["argv"][:2] == ["-m", "understudy.engine"]
    assert (told["port"], told["die_with_parent"], told["data_dir"], told["hooks_dir"]) == (
        4577,
        True,
        str(tmp_path / ".understudy"),
        str(tmp_path / "hooks"),
    )
    assert not [name for name in told["environment"] if name.startswith("AWS_")]

    found.stop()
    found.stop()

    assert (tmp_path / ".understudy" / "run" / "ended").exists()
    assert not found.is_alive()


def test_an_engine_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = engine(tmp_path, monkeypatch, 'print("x" * 5000, "the reason", flush=True); sys.exit(1)')

    with pytest.raises(EnvironmentProblemError) as caught:
        found.start()

    assert caught.value.code == "engine-start"
    assert caught.value.message.endswith("the reason")
    assert len(caught.value.message) < 1600
    assert caught.value.where == str(found.log_path)
    assert not found.is_alive()


def test_a_ready_file_of_an_earlier_run_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / ".understudy" / "run" / "engine.json"
    stale.parent.mkdir(parents=True)
    stale.write_text('{"endpoint": "http://stale"}')

    with pytest.raises(EnvironmentProblemError):
        engine(tmp_path, monkeypatch, "sys.exit(1)").start()

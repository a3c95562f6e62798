"""Init hooks run for real: in order, against the engine, and a failing one stops nothing."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.engine_process import REPO, EngineProcess, eventually

NOTE = 'import os, pathlib; pathlib.Path(os.environ["NOTES"]).open("a").write("{} ")\n'


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProcess]:
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    hooks = tmp_path / "localstack-init"
    _write(hooks / "boot.d" / "a.py", NOTE.format("boot"))
    _write(hooks / "start.d" / "a.py", NOTE.format("start"))
    _write(hooks / "ready.d" / "10.sh", '#!/bin/sh\nprintf "ready10 " >> "$NOTES"; echo oops; exit 4\n')
    _write(
        hooks / "ready.d" / "20.py",
        "import boto3; boto3.client('logs').create_log_group(logGroupName='by-hook')\n"
        + NOTE.format("ready20"),
    )
    _write(hooks / "ready.d" / "30.sh", "printf 'without a first line' >> \"$NOTES\"\n")
    _write(hooks / "shutdown.d" / "a.sh", '#!/bin/sh\nprintf shutdown >> "$NOTES"\n')
    process = EngineProcess(tmp_path / ".understudy", with_delegate=False, hooks_dir=hooks).start()
    yield process
    process.close()


def _init(engine: EngineProcess) -> Any:
    return httpx.get(f"{engine.url}/_localstack/init", timeout=60).json()


def test_stages_run_in_order_and_failures_are_told(engine: EngineProcess, tmp_path: Path) -> None:
    eventually(lambda: _init(engine)["completed"]["READY"], "the ready hooks have run")
    scripts = [(each["stage"], each["name"], each["state"]) for each in _init(engine)["scripts"]]
    assert scripts == [
        ("BOOT", "a.py", "SUCCESSFUL"),
        ("START", "a.py", "SUCCESSFUL"),
        ("READY", "10.sh", "ERROR"),
        ("READY", "20.py", "SUCCESSFUL"),
        ("READY", "30.sh", "ERROR"),
        ("SHUTDOWN", "a.sh", "UNKNOWN"),
    ]
    ready = httpx.get(f"{engine.url}/_localstack/init/ready", timeout=60).json()
    assert ready["completed"] is True
    assert len(ready["scripts"]) == 3
    assert engine.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "by-hook"
    assert "10.sh ended with 4: oops" in engine.log.read_text()
    assert "30.sh cannot be executed: Exec format error" in engine.log.read_text()
    engine.stop()
    assert (tmp_path / "notes").read_text() == "boot start ready10 ready20 shutdown"


def test_the_seed_is_put_once_and_harmless_to_what_comes_later(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / ".understudy", hooks_dir=REPO / "localstack-init").start()
    try:
        eventually(lambda: _init(engine)["completed"]["READY"], "the seed has run")
        assert _init(engine)["scripts"] == [
            {"stage": "READY", "name": "10_tickers.py", "state": "SUCCESSFUL"}
        ], engine.log.read_text()
        found = engine.client("s3").get_object(Bucket="dashboard-tickers", Key="tickers.json.gz")
        book = json.loads(gzip.decompress(found["Body"].read()))
        assert {"symbol": "AAPL", "name": "Apple Inc.", "exchange": "NASDAQ"} in book["tickers"]
        engine.stop()
        engine.start()
        eventually(lambda: _init(engine)["completed"]["READY"], "the seed has run again")
        again = engine.client("s3").head_object(Bucket="dashboard-tickers", Key="tickers.json.gz")
        assert again["LastModified"] == found["LastModified"]
    finally:
        engine.close()

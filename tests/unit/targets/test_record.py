import os
from pathlib import Path

import pytest

from understudy.targets import record
from understudy.targets.layout import Layout
from understudy.targets.record import AlreadyRunningError, StackRecord

RECORD = StackRecord(
    pid=1,
    endpoint="http://localhost:4566",
    api_url="http://localhost:4566/_aws/execute-api/abc",
    api_host_url="http://abc.execute-api.localhost:4566",
    dev_url="http://127.0.0.1:8000",
    image_digest="sha256:" + "0" * 64,
    function="dashboard:live",
    stand_in_for="",
    timings_s={"build": 0.1},
)


def test_a_record_is_readable_only_while_its_claim_lives(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)

    assert record.read(layout) is None
    with record.claim(layout):
        assert record.is_running(layout)
        assert record.read(layout) is None
        record.write(layout, RECORD)
        assert record.read(layout) == RECORD
        assert (layout.run / "stack.pid").read_text() == str(os.getpid())
    assert not record.is_running(layout)
    assert record.read(layout) is None


def test_a_second_claim_is_refused(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)

    with (
        record.claim(layout),
        pytest.raises(AlreadyRunningError, match="running already"),
        record.claim(layout),
    ):
        pass


def test_a_record_left_by_a_killed_process_does_not_count(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    with record.claim(layout):
        record.write(layout, RECORD)
        left = (layout.run / "stack.json").read_bytes()
    (layout.run / "stack.json").write_bytes(left)

    assert record.read(layout) is None
    assert record.stop(layout) is False

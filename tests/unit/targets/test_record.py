import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.targets import record
from understudy.targets.layout import Layout
from understudy.targets.record import AlreadyRunningError, RunningFunction, StackRecord

HOLDER = """
import pathlib, signal, sys
from understudy.targets import record
from understudy.targets.layout import Layout
with record.claim(Layout(root=pathlib.Path(sys.argv[1]))):
    print("claimed", flush=True)
    signal.pause()
"""
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
    functions=(
        RunningFunction(image="dashboard", function="dashboard:live", digest="sha256:" + "0" * 64),
        RunningFunction(
            image="sse", function="sse:live", digest="sha256:" + "2" * 64, url="http://u.lambda-url.localhost"
        ),
    ),
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


def test_a_newer_digest_is_published_beside_what_stays(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    newer = "sha256:" + "1" * 64
    with record.claim(layout):
        record.write(layout, RECORD)
        record.write(layout, RECORD.with_digest("dashboard", newer))
        found = record.read_own(layout)

    first, second = RECORD.functions
    functions = (dataclasses.replace(first, digest=newer), second)
    assert found == dataclasses.replace(RECORD, image_digest=newer, functions=functions)


def test_another_image_s_digest_leaves_the_first_function_alone() -> None:
    newer = "sha256:" + "3" * 64

    found = RECORD.with_digest("sse", newer)

    assert (found.image_digest, [one.digest for one in found.functions]) == (
        RECORD.image_digest,
        [RECORD.image_digest, newer],
    )


def test_a_record_of_an_earlier_version_has_the_usual_region_and_no_list(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    fields = dataclasses.asdict(RECORD)
    del fields["region"], fields["functions"]
    with record.claim(layout):
        (layout.run / "stack.json").write_text(json.dumps(fields))
        assert record.read(layout) == dataclasses.replace(RECORD, functions=())


def test_stop_ends_the_claimant_and_waits_for_it(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"

        assert record.stop(layout) is True

        assert holder.wait() == -signal.SIGTERM
    assert not record.is_running(layout)
    assert record.stop(layout) is False

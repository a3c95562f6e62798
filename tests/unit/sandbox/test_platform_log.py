"""Text is AWS's lines; JSON is its records, each at its level."""

import json
from dataclasses import replace
from typing import Any

import pytest

from understudy.image.rootfs import Rootfs
from understudy.sandbox import model, reports
from understudy.sandbox.model import Fault, SandboxSpec
from understudy.sandbox.platform_log import PlatformLog
from understudy.sandbox.reports import Report

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=()),
    entrypoint=("/bootstrap",),
    command=(),
    working_dir="/",
    environment={},
    function_name="f",
    function_version="7",
)
REPORT = Report(
    request_id="r-1", duration_ms=1.2345, billed_ms=12, memory_mb=128, max_memory_mb=50, init_ms=10.5
)
FAULT = Fault(error_type="Runtime.ExitError", reason="x")


def log(level: str = "INFO") -> PlatformLog:
    return PlatformLog(replace(SPEC, log_format="JSON", system_level=level), now=lambda: 1_700_000_000.25)


def records(lines: list[bytes]) -> list[dict[str, Any]]:
    assert all(line.endswith(b"\n") for line in lines)
    return [json.loads(line) for line in lines]


def types(lines: list[bytes]) -> list[str]:
    return [record["type"] for record in records(lines)]


def test_text_is_what_it_always_was() -> None:
    text = PlatformLog(SPEC)
    assert text.init_start("init") == []
    assert text.init_end("init", 1.0, None) == []
    assert text.init_end("init", 1.0, FAULT) == [reports.init_report_line(1.0, "init", FAULT)]
    assert text.start("r-1") == [reports.start_line("r-1", "7")]
    assert text.end(REPORT) == [reports.end_line("r-1"), reports.report_line(REPORT)]


def test_an_invocation_is_start_and_report() -> None:
    start, report = records([*log().start("r-1"), *log().end(REPORT)])
    assert start == {
        "time": "2023-11-14T22:13:20.250Z",
        "type": "platform.start",
        "record": {"requestId": "r-1", "version": "7"},
    }
    assert report["type"] == "platform.report"
    assert report["record"] == {
        "requestId": "r-1",
        "status": "success",
        "metrics": {
            "durationMs": 1.234,
            "billedDurationMs": 12,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 50,
            "initDurationMs": 10.5,
        },
    }


def test_debug_has_the_init_phase_and_the_end_of_the_runtime() -> None:
    debug = log("DEBUG")
    assert types(debug.init_start("init")) == ["platform.initStart"]
    assert types(debug.init_end("init", 1.0, None)) == ["platform.initRuntimeDone", "platform.initReport"]
    assert types(debug.end(REPORT)) == ["platform.runtimeDone", "platform.report"]
    assert log().init_start("init") == log().init_end("init", 1.0, None) == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (FAULT, {"status": "error", "errorType": "Runtime.ExitError"}),
        (model.timeout_fault(3), {"status": "timeout"}),
    ],
    ids=["error", "timeout"],
)
def test_only_what_failed_is_left_at_warn(fault: Fault, status: dict[str, str]) -> None:
    warn = log("WARN")
    assert warn.start("r-1") == warn.end(REPORT) == []
    failed = records([*warn.init_end("invoke", 2.0, fault), *warn.end(replace(REPORT, fault=fault))])
    assert [record["type"] for record in failed] == [
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.runtimeDone",
        "platform.report",
    ]
    assert all(status.items() <= record["record"].items() for record in failed)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b'{"timestamp":"t","level":"DEBUG"}\n', False),
        (b'{"timestamp":"t","level":"info"}\n', False),
        (b'{"timestamp":"t","level":"WARNING"}\n', True),
        (b'{"level":"DEBUG"}\n', True),
        (b'{"timestamp":"t","level":"own"}\n', True),
        (b"{no json\n", True),
        (b"plain\n", True),
    ],
)
def test_lines_below_the_application_level_are_dropped(line: bytes, kept: bool) -> None:
    spec = replace(SPEC, log_format="JSON", application_level="WARN")
    assert PlatformLog(spec).keeps(line) is kept
    assert PlatformLog(replace(spec, log_format="Text")).keeps(line)

import json

import pytest

from understudy.reconcile import report_lines
from understudy.reconcile.report_lines import ReportLine
from understudy.sandbox import reports

# From the Lambda developer guide, "Working with Lambda function logs".
COLD = (
    "START RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189 Version: $LATEST\n"
    "REPORT of mine\n"
    "END RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\n"
    "REPORT RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\tDuration: 79.67 ms\tBilled Duration: 80 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 73 MB\tInit Duration: 203.77 ms\t\n"
    "XRAY TraceId: 1-5e34a614 SegmentId: 07f5 Sampled: true\n"
)
WARM = (
    "REPORT RequestId: 5eb\tDuration: 7.5 ms\tBilled Duration: 8 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 74 MB\t\nREPORT RequestId: later\n"
)
METRICS = {"durationMs": 101.4, "billedDurationMs": 300, "memorySizeMB": 512, "maxMemoryUsedMB": 33}


def in_json(**more: float) -> str:
    record = {"requestId": "r", "metrics": {**METRICS, **more}, "status": "success"}
    lines = [
        "no JSON",
        '"text"',
        '{"type": "mine"}',
        json.dumps({"time": "2023-03-15T12:00:00.000Z", "type": "platform.report", "record": record}),
        '{"level": "INFO"}',
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (COLD, ReportLine(duration_ms=79.67, max_memory_mb=73.0, init_ms=203.77)),
        (WARM, ReportLine(duration_ms=7.5, max_memory_mb=74.0)),
        (in_json(initDurationMs=116.67), ReportLine(duration_ms=101.4, max_memory_mb=33.0, init_ms=116.67)),
        (in_json(), ReportLine(duration_ms=101.4, max_memory_mb=33.0)),
        ("START\nEND\n", None),
        ("", None),
    ],
    ids=["cold", "warm", "json-cold", "json-warm", "none", "empty"],
)
def test_the_last_report_of_a_log_is_read(log: str, expected: ReportLine | None) -> None:
    assert report_lines.last(log) == expected


def test_the_sandbox_writes_what_is_read() -> None:
    written = reports.Report(
        request_id="r", duration_ms=1.5, billed_ms=2, memory_mb=128, max_memory_mb=40, init_ms=300.25
    )
    assert report_lines.last(reports.report_line(written).decode()) == ReportLine(
        duration_ms=1.5, max_memory_mb=40.0, init_ms=300.25
    )

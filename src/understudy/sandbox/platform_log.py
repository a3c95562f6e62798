"""What the platform itself says in an environment's log, in the format that the function's settings ask for.

Text are START, END, REPORT and INIT_REPORT. JSON are the records of Lambda's Telemetry API, each with a level
that `SystemLogLevel` is held against
(https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html, "System log level
event mapping"). Text has no INIT_START: AWS writes it for runtimes with a version, and an image has none; for
the same reason `platform.initStart` is of level DEBUG.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from understudy.sandbox import reports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from understudy.sandbox.model import Fault, Phase, SandboxSpec
    from understudy.sandbox.reports import Report

_LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "WARNING": 3, "ERROR": 4, "FATAL": 5, "CRITICAL": 5}


class PlatformLog:
    """The lines about one environment, each whole and with its line feed.

    Args:
        spec: whose log it is; says format and levels.
        now: the wall clock, in seconds since the epoch.
    """

    def __init__(self, spec: SandboxSpec, now: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._now = now
        self._json = spec.log_format == "JSON"
        self._least = _LEVELS[spec.system_level]

    def init_start(self, phase: Phase) -> list[bytes]:
        """The runtime process is about to start."""
        if not self._json:
            return []
        spec = self._spec
        record = {
            **_init(phase),
            "functionName": spec.function_name,
            "functionVersion": spec.function_version,
            "instanceMaxMemory": spec.memory_mb * 1024 * 1024,
        }
        return self._record("DEBUG", "platform.initStart", record)

    def init_end(self, phase: Phase, duration_ms: float, fault: Fault | None) -> list[bytes]:
        """The init phase is over; text says so only when it failed."""
        if not self._json:
            return [reports.init_report_line(duration_ms, phase, fault)] if fault is not None else []
        level, ended = _level(fault, "DEBUG"), {**_init(phase), **_status(fault)}
        metrics = {"metrics": {"durationMs": round(duration_ms, 3)}}
        return [
            *self._record(level, "platform.initRuntimeDone", ended),
            *self._record(level, "platform.initReport", {**ended, **metrics}),
        ]

    def start(self, request_id: str) -> list[bytes]:
        """An invocation begins."""
        version = self._spec.function_version
        if not self._json:
            return [reports.start_line(request_id, version)]
        return self._record("INFO", "platform.start", {"requestId": request_id, "version": version})

    def end(self, report: Report) -> list[bytes]:
        """An invocation is over."""
        if not self._json:
            return [reports.end_line(report.request_id), reports.report_line(report)]
        ended = {"requestId": report.request_id, **_status(report.fault)}
        duration = {"durationMs": round(report.duration_ms, 3)}
        metrics: dict[str, float] = {
            **duration,
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.max_memory_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        return [
            *self._record(
                _level(report.fault, "DEBUG"), "platform.runtimeDone", {**ended, "metrics": duration}
            ),
            *self._record(_level(report.fault, "INFO"), "platform.report", {**ended, "metrics": metrics}),
        ]

    def keeps(self, line: bytes) -> bool:
        """Whether a line of the function passes `ApplicationLogLevel`: JSON with a level below it does not.

        AWS looks at objects with ``level`` and ``timestamp``, and passes everything else.
        """
        if not self._json or not line.startswith(b"{"):
            return True
        try:
            document = json.loads(line)
        except ValueError:
            return True
        level = _LEVELS.get(str(document.get("level")).upper())
        wanted = _LEVELS[self._spec.application_level]
        return level is None or "timestamp" not in document or level >= wanted

    def _record(self, level: str, kind: str, record: Mapping[str, Any]) -> list[bytes]:
        if _LEVELS[level] < self._least:
            return []
        moment = datetime.fromtimestamp(self._now(), UTC)
        document = {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "type": kind,
            "record": record,
        }
        return [json.dumps(document, separators=(",", ":")).encode() + b"\n"]


def _init(phase: Phase) -> dict[str, str]:
    return {"initializationType": "on-demand", "phase": phase}


def _status(fault: Fault | None) -> dict[str, str]:
    if fault is None:
        return {"status": "success"}
    if fault.timed_out:
        return {"status": "timeout"}
    return {"status": "error", "errorType": fault.error_type}


def _level(fault: Fault | None, level: str) -> str:
    return level if fault is None else "WARN"

"""REPORT lines of a function's log, in both formats that Lambda writes; pure.

Text and JSON as in the Lambda developer guide, "Working with Lambda function logs"
(https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html). A function whose
`SystemLogLevel` is WARN writes none in JSON.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TEXT = re.compile(r"^REPORT RequestId: ")
_FIGURE = re.compile(r"(?:^|\t)(?P<name>[A-Z][A-Za-z ]*): (?P<value>[0-9.]+) (?:ms|MB)(?=\t|\s*$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """What Lambda says about one invocation.

    Attributes:
        duration_ms: of the handler.
        max_memory_mb: highest memory of the environment so far.
        init_ms: init phase before it; `None` when the environment was warm.
    """

    duration_ms: float
    max_memory_mb: float
    init_ms: float | None = None


def last(log: str) -> ReportLine | None:
    """The last REPORT of a log, which is the invocation's own in its tail; `None` when there is none."""
    return next(_found(log), None)


def _found(log: str) -> Iterator[ReportLine]:
    for line in reversed(log.splitlines()):
        report = _line(_text(line).get) if _TEXT.match(line) else _line(_json(line).get)
        if report is not None:
            yield report


def _line(figure: Callable[[str], Any]) -> ReportLine | None:
    duration_ms, memory_mb, init_ms = map(figure, ("Duration", "Max Memory Used", "Init Duration"))
    if duration_ms is None or memory_mb is None:
        return None
    return ReportLine(
        duration_ms=float(duration_ms),
        max_memory_mb=float(memory_mb),
        init_ms=None if init_ms is None else float(init_ms),
    )


def _text(line: str) -> Mapping[str, str]:
    return {found["name"]: found["value"] for found in _FIGURE.finditer(line)}


def _json(line: str) -> Mapping[str, Any]:
    """The figures of a ``platform.report``, by the names that the text has."""
    try:
        document = json.loads(line)
        if document["type"] != "platform.report":
            return {}
        metrics = document["record"]["metrics"]
        return {
            "Duration": metrics["durationMs"],
            "Max Memory Used": metrics["maxMemoryUsedMB"],
            "Init Duration": metrics.get("initDurationMs"),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        # Whatever the function printed: JSON of its own, or no JSON at all.
        return {}

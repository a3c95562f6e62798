"""JSON log lines on stdout, with the id of the request they belong to.

The members `timestamp`, `level`, `logger`, `message` and `requestId` are named as in Lambda's own JSON log
format, so one CloudWatch Logs Insights query reads both. Neither a request's body nor its query string or
user id is ever written; an exception is written as its type and its frames, without its message, because
messages (pydantic's, botocore's) quote the data they choked on.
"""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request being served: Lambda's, or one made up by the middleware elsewhere."""

_ROOT = "dashboard"


class JsonFormatter(logging.Formatter):
    """Renders a record as one line of JSON; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, plain ASCII whatever it holds."""
        line: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        current = request_id.get()
        if current is not None:
            line["requestId"] = current
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["errorType"] = type(record.exc_info[1]).__name__
            line["stackTrace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(line, default=str, separators=(",", ":"))


class _StdoutHandler(logging.StreamHandler):  # type: ignore[type-arg] # generic in the stubs only
    """Writes to whatever `sys.stdout` is now: Lambda's runtime client replaces it after the import."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record to the current `sys.stdout`."""
        self.stream = sys.stdout
        super().emit(record)


def configure(level: str) -> None:
    """Send the service's records, and no other library's, to stdout as JSON; calling again is harmless.

    The handlers of the host (the runtime client's on Lambda, uvicorn's on a laptop) stay as they are:
    records do not propagate to them, so that no line is written twice.
    """
    logger = logging.getLogger(_ROOT)
    known = logging.getLevelNamesMapping()
    logger.setLevel(known.get(level.upper(), logging.INFO))
    logger.propagate = False
    if not any(isinstance(handler, _StdoutHandler) for handler in logger.handlers):
        handler = _StdoutHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)

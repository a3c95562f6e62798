"""One log stream of one execution environment: lines are stamped as they come and stored in batches.

A batch goes to the log store when the event loop has been left in peace for a moment, so that a request never
waits for a log line. Only the first goes in the loop's next turn: whoever has an answer finds the log group
and the stream. Refuses to know how logs are stored.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from understudy.engine.functions.model import FunctionId, Version


class Append(Protocol):
    """Stores lines of one stream in the function's own account and region."""

    def __call__(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, account_id: str, region: str
    ) -> None:
        """Takes lines, each with the epoch milliseconds of its coming."""
        ...


_BATCH = 1000
# CloudWatch Logs cuts events at 1 MB since 2025; Lambda cuts lines at 256 KB.
_MOST_CHARACTERS = 262_118


def stream_name(version: Version, now: float) -> str:
    """A new log stream's name as Lambda makes them: `2026/01/31/[$LATEST]0123...`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y/%m/%d}/[{version.number}]{secrets.token_hex(16)}"


class LogWriter:
    """Takes whole lines of one environment of `function` and stores them soon."""

    def __init__(
        self,
        append: Append,
        function: FunctionId,
        group: str,
        stream: str,
        *,
        now: Callable[[], float],
        delay_s: float,
    ) -> None:
        self._function = function
        self.group = group
        self.stream = stream
        self._append = append
        self._now = now
        self._delay_s = delay_s
        self._lines: list[tuple[int, str]] = []
        self._timer: asyncio.Handle | None = None
        self._begun = False

    def write(self, line: bytes) -> None:
        """Takes one line; its line feed stays, as in CloudWatch Logs."""
        if not line:
            return
        text = line.decode("utf-8", "replace")
        self._lines.append((int(self._now() * 1000), text[:_MOST_CHARACTERS]))
        if len(self._lines) >= _BATCH:
            self.flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = (
                loop.call_later(self._delay_s, self.flush) if self._begun else loop.call_soon(self.flush)
            )
            self._begun = True

    def flush(self) -> None:
        """Stores what was taken so far."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            place = self._function
            self._append(self.group, self.stream, lines, account_id=place.account_id, region=place.region)

"""The log of one execution environment: the function's output and the platform's lines, whole and in order.

Keeps the end of it for whoever asks for a log tail. Refuses to know when which line is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.sandbox import model
from understudy.sandbox.reports import LineAssembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Journal:
    """Takes lines and output; `log` receives whole lines.

    Args:
        log: receives the lines.
        keeps: whether a line of the function's output is wanted.
    """

    def __init__(self, log: Callable[[bytes], None], keeps: Callable[[bytes], bool] = lambda _: True) -> None:
        self._log = log
        self._keeps = keeps
        self._assembler = LineAssembler()
        self._tail = bytearray()

    def restart(self) -> None:
        """Forgets the unfinished line of a process that is gone."""
        self._assembler = LineAssembler()

    def output(self, data: bytes) -> None:
        """Takes output of the process in pieces of any size."""
        for line in self._assembler.feed(data):
            if self._keeps(line):
                self.write(line)

    def finish_line(self) -> None:
        """Writes what has no line feed yet."""
        for line in self._assembler.flush():
            if self._keeps(line):
                self.write(line)

    def write(self, line: bytes) -> None:
        """Writes one line."""
        self._tail += line
        if len(self._tail) > 16 * model.LOG_TAIL_BYTES:
            del self._tail[: -model.LOG_TAIL_BYTES]
        self._log(line)

    def write_all(self, lines: Iterable[bytes]) -> None:
        """Writes lines."""
        for line in lines:
            self.write(line)

    def take_tail(self) -> bytes:
        """Returns the end of what was written since the last call."""
        tail = bytes(self._tail[-model.LOG_TAIL_BYTES :])
        self._tail.clear()
        return tail

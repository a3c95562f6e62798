"""Corking joins what one turn of the event loop writes."""

import asyncio
from typing import Any, cast

from understudy.engine.server import CorkedTransport


class Wire:
    """A transport that remembers."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def _corked() -> tuple[Wire, CorkedTransport, list[Any]]:
    wire, soon = Wire(), cast("list[Any]", [])
    return wire, CorkedTransport(cast(asyncio.Transport, wire), soon.append), soon


def test_head_and_body_leave_together() -> None:
    wire, corked, soon = _corked()
    corked.write(b"head")
    corked.write(b"body")
    assert wire.sent == []
    assert len(soon) == 1
    soon.pop()()
    assert wire.sent == [b"headbody"]


def test_much_data_leaves_at_once() -> None:
    wire, corked, soon = _corked()
    corked.write(b"x" * 70_000)
    assert [len(data) for data in wire.sent] == [70_000]
    soon.pop()()
    assert len(wire.sent) == 1


def test_closing_loses_nothing() -> None:
    wire, corked, _ = _corked()
    corked.write(b"last")
    corked.close()
    assert (wire.sent, corked.is_closing()) == ([b"last"], True)

"""Reads what the instruments wrote among the image's own output; pure."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from understudy.coldstart.instrument import MARK
from understudy.coldstart.watched import Recording, Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse(output: str, *, started_s: float) -> Recording | None:
    """The recording in a log; `None` when there is none: the image's Python did not load the instruments.

    Args:
        output: of the whole run.
        started_s: when the entrypoint was executed, on the clock of the instruments.
    """
    spans: list[Span] = []
    python_ms = -1.0
    asked: list[float] = []
    used: set[str] = set()
    for item in _items(output):
        if item[0] == "python":
            python_ms = _ms(item[1], started_s)
        elif item[0] == "next":
            asked.append(_ms(item[1], started_s))
        elif item[0] == "used":
            used.add(item[1])
        else:
            spans.append(_span(item, started_s))
    if not asked:
        return None
    return Recording(spans=tuple(spans), python_ms=python_ms, next_ms=tuple(asked), used=frozenset(used))


def _items(output: str) -> Iterator[tuple[Any, ...]]:
    for line in output.splitlines():
        if line.startswith(MARK):
            yield from ast.literal_eval(line.removeprefix(MARK))


def _span(item: tuple[Any, ...], started_s: float) -> Span:
    _, kind, name, parent, begin, end, path, line, detail = item
    span = Span(
        kind=cast("SpanKind", kind),
        name=name,
        parent=parent,
        begin_ms=_ms(begin, started_s),
        end_ms=_ms(end, started_s),
        path=path,
        line=line,
    )
    costs: dict[str, float] = {}
    for word in detail.split():
        what, _, seconds = word.partition(":")
        costs[what] = costs.get(what, 0.0) + float(seconds) * 1000
    return replace(span, compiled_ms=costs.get("compiled", 0.0), linked_ms=costs.get("linked", 0.0))


def _ms(seconds: float, started_s: float) -> float:
    return (seconds - started_s) * 1000

"""Draws what long work reports, on stderr: spinners on a terminal, lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from understudy.cli import program
from understudy.targets.events import Advanced, Done, Event, Failed, Noticed, Started

if TYPE_CHECKING:
    from understudy.cli.spinners import Spinners

_DIGEST = "sha256:"
_SHORT_DIGEST = len(_DIGEST) + 12


class EventPrinter:
    """Receives events from any thread; a context manager around the work.

    Args:
        live: where to draw; by default stderr when it is a terminal, and else nothing.
    """

    def __init__(self, live: "Spinners | None" = None) -> None:
        self._live = live or _spinners()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case Started():
                self._start(event.step)
            case Advanced():
                if self._live:
                    self._live.advance(event.step, event.text)
            case Done():
                self._end(event.step)
                detail = f"  {_short(event.detail)}" if event.detail else ""
                self._say("✓", "green", f"{event.step}  {event.seconds:.1f} s{detail}")
            case Noticed():
                self._say("!", "yellow", event.text)
            case Failed():
                self._end(event.step)
                self._say("✗", "red", f"{event.step}\n{event.error}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leaves the terminal to the block, for a question."""
        if self._live:
            self._live.stop()
        try:
            yield
        finally:
            if self._live:
                self._live.start()

    def _start(self, step: str) -> None:
        if self._live:
            self._live.begin(step)
        else:
            click.echo(f"… {step}", err=True)

    def _end(self, step: str) -> None:
        if self._live:
            self._live.end(step)

    def _say(self, mark: str, colour: str, text: str) -> None:
        if self._live:
            self._live.say(mark, colour, text)
        else:
            click.echo(f"{mark} {program.named(text)}", err=True)


def _spinners() -> "Spinners | None":
    if not sys.stderr.isatty():
        return None
    # Rich is slow to load, and programs that read our lines see nothing of it.
    from understudy.cli.spinners import Spinners

    return Spinners()


def _short(detail: str) -> str:
    """Digests at the length that people compare."""
    return " ".join(word[:_SHORT_DIGEST] if word.startswith(_DIGEST) else word for word in detail.split(" "))

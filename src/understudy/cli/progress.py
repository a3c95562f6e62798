"""Draws what long work reports, on stderr: spinners on a terminal, lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from understudy.targets.events import Advanced, Done, Event, Failed, Noticed, Started

stderr = Console(stderr=True, highlight=False)

_DIGEST = "sha256:"
_SHORT_DIGEST = len(_DIGEST) + 12


class EventPrinter:
    """Receives events from any thread; a context manager around the work."""

    def __init__(self) -> None:
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        if stderr.is_terminal:
            self._live = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=stderr,
                transient=True,
            )

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
                self._advance(event.step, event.text)
            case Done():
                self._end(event.step)
                detail = f"  {escape(_short(event.detail))}" if event.detail else ""
                stderr.print(
                    f"[green]✓[/] {escape(event.step)}  {event.seconds:.1f} s{detail}", soft_wrap=True
                )
            case Noticed():
                stderr.print(f"[yellow]![/] {escape(event.text)}", soft_wrap=True)
            case Failed():
                self._end(event.step)
                stderr.print(f"[red]✗[/] {escape(event.step)}\n{escape(event.error)}", soft_wrap=True)

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
            self._tasks[step] = self._live.add_task(escape(step))
        else:
            stderr.print(f"… {escape(step)}", soft_wrap=True)

    def _advance(self, step: str, text: str) -> None:
        if self._live and step in self._tasks:
            width = max(20, stderr.width - len(step) - 20)
            self._live.update(self._tasks[step], description=escape(f"{step}  {text[:width]}"))

    def _end(self, step: str) -> None:
        if self._live and step in self._tasks:
            self._live.remove_task(self._tasks.pop(step))


def _short(detail: str) -> str:
    """Digests at the length that people compare."""
    return " ".join(word[:_SHORT_DIGEST] if word.startswith(_DIGEST) else word for word in detail.split(" "))

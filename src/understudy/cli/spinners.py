"""Steps that are under way, drawn on a terminal; loaded only where there is one."""

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Spinners:
    """One line with a spinner for each running step, below what has been said.

    Args:
        console: the terminal; stderr where none is given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def start(self) -> None:
        """Begins to draw."""
        self._progress.start()

    def stop(self) -> None:
        """Takes the spinners away; what was said stays."""
        self._progress.stop()

    def say(self, mark: str, colour: str, text: str) -> None:
        """Prints a line that stays."""
        self._console.print(f"[{colour}]{mark}[/] {escape(text)}", soft_wrap=True)

    def begin(self, step: str) -> None:
        """Adds a step."""
        self._tasks[step] = self._progress.add_task(escape(step))

    def advance(self, step: str, text: str) -> None:
        """Shows what a step is doing, if it has begun."""
        if step in self._tasks:
            width = max(20, self._console.width - len(step) - 20)
            self._progress.update(self._tasks[step], description=escape(f"{step}  {text[:width]}"))

    def end(self, step: str) -> None:
        """Takes a step away, if it has begun."""
        if step in self._tasks:
            self._progress.remove_task(self._tasks.pop(step))

import io

import pytest
from rich.console import Console

from understudy.cli import progress
from understudy.cli.progress import EventPrinter
from understudy.targets.events import Advanced, Done, Event, Failed, Noticed, Started

EVENTS: list[Event] = [
    Started(step="build [shop]"),
    Advanced(step="build [shop]", text="[1/2] FROM scratch"),
    Done(step="build [shop]", seconds=1.26, detail=f"sha256:{'a' * 64} 51 MB"),
    Noticed(text="built on a [stand-in]"),
    Started(step="release shop"),
    Failed(step="release shop", error="error[x]: why\n  hint:  do"),
]


def drawn(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100, highlight=False, color_system=None)
    monkeypatch.setattr(progress, "stderr", console)
    with EventPrinter() as printer:
        for event in EVENTS:
            printer(event)
    return text.getvalue()


def test_each_event_is_a_line_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, terminal=False).splitlines() == [
        "… build [shop]",
        f"✓ build [shop]  1.3 s  sha256:{'a' * 12} 51 MB",
        "! built on a [stand-in]",
        "… release shop",
        "✗ release shop",
        "error[x]: why",
        "  hint:  do",
    ]


def test_a_terminal_shows_what_runs_and_keeps_what_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(monkeypatch, terminal=True)

    assert f"✓ build [shop]  1.3 s  sha256:{'a' * 12} 51 MB" in shown
    assert "✗ release shop" in shown
    assert "\x1b[" in shown


def test_an_event_of_a_step_that_nobody_started_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "stderr", Console(file=io.StringIO(), force_terminal=True))

    with EventPrinter() as printer:
        printer(Advanced(step="other", text="text"))
        printer(Done(step="other", seconds=0))

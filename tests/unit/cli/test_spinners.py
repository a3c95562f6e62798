import io

from rich.console import Console

from tests.unit.cli.test_progress import EVENTS
from understudy.cli.progress import EventPrinter
from understudy.cli.spinners import Spinners
from understudy.targets.events import Advanced, Done


def terminal() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=True, width=100, highlight=False, color_system=None), text


def test_a_terminal_shows_what_runs_and_keeps_what_ended() -> None:
    console, text = terminal()
    with EventPrinter(Spinners(console)) as printer:
        for event in EVENTS:
            printer(event)

    shown = text.getvalue()
    assert f"✓ build [shop]  1.3 s  sha256:{'a' * 12} 51 MB" in shown
    assert "! built on a [stand-in]" in shown
    assert "✗ release shop" in shown
    assert "\x1b[" in shown


def test_an_event_of_a_step_that_nobody_started_does_no_harm() -> None:
    console, text = terminal()
    with EventPrinter(Spinners(console)) as printer:
        printer(Advanced(step="other", text="text"))
        printer(Done(step="other", seconds=0))

    assert "✓ other  0.0 s" in text.getvalue()

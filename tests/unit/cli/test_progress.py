import pytest

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


def test_each_event_is_a_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with EventPrinter() as printer:
        for event in EVENTS:
            printer(event)

    assert capsys.readouterr().err.splitlines() == [
        "… build [shop]",
        f"✓ build [shop]  1.3 s  sha256:{'a' * 12} 51 MB",
        "! built on a [stand-in]",
        "… release shop",
        "✗ release shop",
        "error[x]: why",
        "  hint:  do",
    ]


def test_an_event_of_a_step_that_nobody_started_does_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    with EventPrinter() as printer:
        printer(Advanced(step="other", text="text"))
        printer(Done(step="other", seconds=0))

    assert capsys.readouterr().err == "✓ other  0.0 s\n"

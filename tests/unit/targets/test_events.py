import pytest

from understudy.targets import events
from understudy.targets.events import Advanced, Done, Event, Failed, Noticed, Started


@pytest.mark.parametrize(
    "event",
    [
        Started(step="build dashboard"),
        Advanced(step="build dashboard", text="Step 1/9 : FROM 'x'\n"),
        Done(step="build dashboard", seconds=1.25, detail="sha256:abc"),
        Noticed(text="stand-in base"),
        Failed(step="rebuild", error="error[x]: y"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_survives_its_line(event: Event) -> None:
    line = events.to_line(event)

    assert "\n" not in line
    assert events.from_line(line) == event

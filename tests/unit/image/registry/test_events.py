import dataclasses

import pytest

from understudy.image.registry import events
from understudy.image.registry.events import BlobProgress


def test_events_are_values() -> None:
    event = BlobProgress(digest="d", done_bytes=1, size_bytes=2, direction="pull")
    assert event == dataclasses.replace(event)
    events.silent(event)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.done_bytes = 2  # type: ignore[misc]

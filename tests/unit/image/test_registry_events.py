import dataclasses

import pytest

from understudy.image import registry_events
from understudy.image.registry_events import BlobProgress


def test_events_are_values() -> None:
    event = BlobProgress(digest="d", done_bytes=1, size_bytes=2, direction="pull")
    assert event == dataclasses.replace(event)
    registry_events.silent(event)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.done_bytes = 2  # type: ignore[misc]

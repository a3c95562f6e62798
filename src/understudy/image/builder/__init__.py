"""Executes a Dockerfile without a daemon: a step changes the config or makes one layer, cached by its inputs.

Reproducible: same inputs, same digest. Refuses to isolate a RUN step itself (`image.steps` is that seam), and
to follow Docker where it would make another image each time.
"""

from understudy.image.builder.execute import build, ignored
from understudy.image.builder.model import (
    EPOCH,
    STAND_IN_LABEL,
    BuildEvent,
    BuildRequest,
    Notice,
    ResolvedBase,
    StandInUsed,
    Work,
)

__all__ = [
    "EPOCH",
    "STAND_IN_LABEL",
    "BuildEvent",
    "BuildRequest",
    "Notice",
    "ResolvedBase",
    "StandInUsed",
    "Work",
    "build",
    "ignored",
]

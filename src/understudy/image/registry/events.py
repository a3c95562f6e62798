"""What a registry transfer reports while it runs, as plain values: whoever shows them decides how."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobProgress:
    """Bytes of one blob that have moved, of those that will."""

    digest: str
    done_bytes: int
    size_bytes: int
    direction: Literal["pull", "push"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobDone:
    """One blob is where it should be, and how it got there."""

    digest: str
    size_bytes: int
    outcome: Literal["received", "sent", "mounted", "present"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """A request failed in a way that may pass and is sent again after `wait_s`."""

    what: str
    reason: str
    wait_s: float


RegistryEvent = BlobProgress | BlobDone | Retrying
Progress = Callable[[RegistryEvent], None]


def silent(event: RegistryEvent) -> None:
    """Reports nothing."""
    del event


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What a push moved; `digest` is the image manifest's."""

    digest: str
    blobs_sent: int
    bytes_sent: int
    blobs_skipped: int
    blobs_mounted: int = 0

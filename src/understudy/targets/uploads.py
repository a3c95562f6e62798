"""What the blobs of a push are doing, as one line of text that says something new each time."""

import threading
from collections.abc import Callable

from understudy.image.registry.events import BlobDone, BlobProgress, RegistryEvent, Retrying

_MB = 1_000_000


class Uploads:
    """Receives what a push reports, from several threads; tells `say` when a megabyte or a blob is done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._skipped: set[str] = set()
        self._told = ""

    def __call__(self, event: RegistryEvent) -> None:
        """Takes one event."""
        with self._lock:
            if isinstance(event, Retrying):
                self._tell(f"push: {event.reason}; again in {event.wait_s:.1f} s")
                return
            self._sizes[event.digest] = event.size_bytes
            if isinstance(event, BlobProgress):
                self._done[event.digest] = event.done_bytes
            elif isinstance(event, BlobDone):
                self._done[event.digest] = event.size_bytes
                if event.outcome != "sent":
                    self._skipped.add(event.digest)
            self._tell(self._line())

    def _line(self) -> str:
        sent = [digest for digest in self._sizes if digest not in self._skipped]
        done = sum(self._done.get(digest, 0) for digest in sent) // _MB
        size = sum(self._sizes[digest] for digest in sent) / _MB
        there = f", {len(self._skipped)} blobs were there" if self._skipped else ""
        return f"push {done} of {size:.0f} MB{there}"

    def _tell(self, line: str) -> None:
        if line != self._told:
            self._told = line
            self._say(line)

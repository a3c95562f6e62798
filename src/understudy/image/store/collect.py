"""Garbage collection over a store's directory: mark from the roots, sweep what is old and unmarked.

Refuses to look at time or locks by itself: the caller holds the store exclusively and says what "old" is.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.image import atomic, locks, model


@dataclass(frozen=True, slots=True, kw_only=True)
class GcReport:
    """What a collection removed; `busy` means that a session was running and nothing was looked at."""

    removed: int
    bytes_freed: int
    busy: bool = False


def reachable(roots: Iterable[str], document: Callable[[str], bytes | None]) -> set[str]:
    """Returns the digests that `roots` need, themselves included.

    Args:
        roots: documents or plain blobs.
        document: returns a blob that may be a document, None when it is missing or too large to be one.
    """
    found: set[str] = set()
    queue = list(roots)
    while queue:
        digest = queue.pop()
        if digest in found:
            continue
        found.add(digest)
        raw = document(digest)
        if raw is not None:
            queue.extend(_children(raw))
    return found


def sweep(root: Path, keep: set[str], *, before_s: float) -> GcReport:
    """Removes blobs outside `keep`, dead uploads and leftovers of killed writers.

    Args:
        root: the store's directory, which the caller holds exclusively.
        keep: digests to leave.
        before_s: time of day; what was modified later stays.
    """
    removed = freed = 0
    for path in (root / "blobs" / "sha256").iterdir():
        stat = path.stat()
        if f"sha256:{path.name}" not in keep and stat.st_mtime < before_s:
            path.unlink()
            removed += 1
            freed += stat.st_size
    for path in (root / "uploads").iterdir():
        freed += _sweep_upload(path, before_s)
    for folder in (root, root / "pins"):
        for path in folder.glob(f"{atomic.PREFIX}*"):
            if path.stat().st_mtime < before_s:
                path.unlink()
    return GcReport(removed=removed, bytes_freed=freed)


def _sweep_upload(path: Path, before_s: float) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        stat = os.fstat(fd)
        # An anonymous upload whose lock is free has lost its process: nobody can ever commit it.
        is_dead = path.name.startswith("tmp.") or stat.st_mtime < before_s
        if not is_dead or not locks.try_exclusive(fd):
            return 0
        path.unlink()
        return stat.st_size
    finally:
        os.close(fd)


def _children(raw: bytes) -> list[str]:
    if raw.lstrip()[:1] != b"{":
        return []
    try:
        media_type = model.media_type_of(raw)
        if media_type in model.INDEX_TYPES:
            return [entry.descriptor.digest for entry in model.parse_index(raw).manifests]
        manifest = model.parse_manifest(raw)
    except UnderstudyError:
        # A config or any other JSON blob: nothing hangs from it.
        return []
    return [manifest.config.digest, *(layer.digest for layer in manifest.layers)]

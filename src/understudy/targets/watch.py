"""Which images a saved file belongs to."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchfiles

from understudy.targets.workspace import Workspace

_QUIET_MS = 20
_POLL_STOP_MS = 500


def changes(workspace: Workspace, stop: threading.Event) -> Iterator[frozenset[str]]:
    """Yields the names of the images whose inputs changed, a few milliseconds after the last save.

    Yields nothing-changed twice a second too, so that the caller can look after the rest.
    """
    section = workspace.project.watch
    paths = [workspace.root / path for path in section.paths]
    ignored = tuple(workspace.root / path for path in section.ignore)
    present = [path for path in paths if path.exists()]
    if not present:
        return
    saved = watchfiles.watch(
        *present,
        watch_filter=_Filter(ignored),
        debounce=_POLL_STOP_MS,
        step=_QUIET_MS,
        rust_timeout=_POLL_STOP_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
        stop_event=stop,
    )
    for batch in saved:
        yield images_of(workspace, (Path(path) for _, path in batch))


def images_of(workspace: Workspace, paths: Iterable[Path]) -> frozenset[str]:
    """Returns the images whose context or Dockerfile one of `paths` is or lies in."""
    found: set[str] = set()
    for path in paths:
        for name, section in workspace.project.images.items():
            context, dockerfile = workspace.root / section.context, workspace.root / section.dockerfile
            if path.is_relative_to(context) or path == dockerfile:
                found.add(name)
    return frozenset(found)


class _Filter(watchfiles.DefaultFilter):
    """Watchfiles' own list of caches and editors' files, and the project's."""

    def __init__(self, ignored: tuple[Path, ...]) -> None:
        super().__init__(ignore_paths=ignored)

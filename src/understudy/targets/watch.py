"""Which images a saved file belongs to."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchfiles

from understudy.errors import UnderstudyError
from understudy.image import builder
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
    """Returns the images that are built from one of `paths`: what their `.dockerignore` leaves out is not."""
    saved = tuple(paths)
    return frozenset(
        name
        for name, section in workspace.project.images.items()
        if _is_input(workspace.root / section.context, workspace.root / section.dockerfile, saved)
    )


def _is_input(context: Path, dockerfile: Path, paths: Iterable[Path]) -> bool:
    below = [path for path in paths if path.is_relative_to(context)]
    if dockerfile in paths or any(path.name.endswith(".dockerignore") for path in below):
        return True
    if not below:
        return False
    try:
        ignored = builder.ignored(context, dockerfile)
    except UnderstudyError:
        return True  # the build says what is wrong with the list
    return any(not ignored.excludes(path.relative_to(context).as_posix()) for path in below)


class _Filter(watchfiles.DefaultFilter):
    """Watchfiles' own list of caches and editors' files, and the project's."""

    def __init__(self, ignored: tuple[Path, ...]) -> None:
        super().__init__(ignore_paths=ignored)

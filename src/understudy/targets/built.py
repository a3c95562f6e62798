"""Which images of a project have been built, as its store says."""

from collections.abc import Iterable

from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets.workspace import Workspace


def digests(workspace: Workspace, store: Store, names: Iterable[str] | None = None) -> dict[str, str]:
    """The digest of each image of the project, by name.

    Args:
        workspace: the project.
        store: holds what was built.
        names: those that are wanted; `None` for all.

    Raises:
        UnderstudyError: one has not been built yet.
    """
    tags = store.tags()
    found: dict[str, str] = {}
    for name in workspace.project.images if names is None else names:
        digest = tags.get(f"{name}:latest")
        if digest is None:
            raise UnderstudyError(
                "image-not-built",
                f"image {name} has not been built here",
                hint=f"./understudy build {name}",
            )
        found[name] = digest
    return found

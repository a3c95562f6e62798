"""What commands that talk to a target share: the option, and the deployment that it names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from understudy.image.store import Store
from understudy.targets import target, workspace
from understudy.targets.deployment import Deployment
from understudy.targets.workspace import Workspace

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def target_option(command: Decorated) -> Decorated:
    """Adds ``--target NAME``."""
    option = click.option(
        "--target", "target_name", default="local", show_default=True, help="Target of understudy.yaml."
    )
    return option(command)


def deployment_of(target_name: str) -> tuple[Workspace, Deployment]:
    """Returns the project of the current folder and its deployment on the target.

    Raises:
        UnderstudyError: no project here, or no such target.
    """
    found = workspace.find(Path.cwd())
    store = Store(found.layout.store).open()
    return found, Deployment(found, target.find(found.project, target_name), store)


def image_tags(found: Workspace) -> tuple[str, ...]:
    """What images are called in their repositories: ``latest``, and the commit where there is one."""
    sha = found.git_sha()
    return ("latest", sha) if sha else ("latest",)

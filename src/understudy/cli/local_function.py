"""The function of the local stack that a command looks into; shared by env, shell and invoke --debug."""

from pathlib import Path
from typing import TYPE_CHECKING

from understudy.cli import target_option
from understudy.targets import layout, workspace
from understudy.targets.layout import Layout

if TYPE_CHECKING:
    from understudy.targets.debugging.functions import Described


def of(function: str | None) -> "Described":
    """The function ``NAME`` or ``NAME:QUALIFIER`` of the stack that runs here, or the project's first one.

    Raises:
        UnderstudyError: no project here, nothing runs, or there is no such function.
    """
    from understudy.image.store import Store
    from understudy.targets import local_engine
    from understudy.targets.debugging import functions

    target_name = local_engine.name_of(workspace.find(Path.cwd()).project)
    found, deployment = target_option.deployment_of(target_name)
    name = function or deployment.first_function(found.first_image())
    deployment.check_function(name)
    store = Store(found.layout.store).open()
    return functions.describe(deployment.aws, store, name, deployment.target.endpoint_url or "")


def layout_here() -> Layout:
    """Where the project of the current folder keeps its state."""
    return layout.find(Path.cwd())

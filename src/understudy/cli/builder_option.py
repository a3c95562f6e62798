"""``--builder``: what builds the images of this run, whatever the project file says."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def builder_option(command: Decorated) -> Decorated:
    """Adds ``--builder``; the command gets its name, or None for each image's own in the project file."""
    option = click.option(
        "--builder",
        type=click.Choice(("native", "docker")),
        help="Build without a daemon, or with Docker's BuildKit.  [default: understudy.yaml, else native]",
    )
    return option(command)

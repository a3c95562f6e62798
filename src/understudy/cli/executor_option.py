"""``--executor``: what isolates functions, for every command that starts one."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from understudy.sandbox import executors

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def executor_option(command: Decorated) -> Decorated:
    """Adds ``--executor``, which sets the variable that this process and the engine it starts go by."""
    option = click.option(
        "--executor",
        type=click.Choice(executors.NAMES),
        expose_value=False,
        callback=_choose,
        help=f"What isolates functions.  [default: {executors.VARIABLE}, else {executors.NAMESPACES}]",
    )
    return option(command)


def _choose(context: click.Context, option: click.Parameter, value: str | None) -> None:
    del context, option
    if value is not None:
        os.environ[executors.VARIABLE] = value

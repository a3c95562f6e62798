"""What commands print: results on stdout, progress and everything else on stderr."""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def output_option(command: Decorated) -> Decorated:
    """Adds ``--output text|json``."""
    option = click.option(
        "--output",
        "-o",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Print for people or for programs.",
    )
    return option(command)


def print_json(value: object) -> None:
    """Prints `value`, dataclasses included, as one JSON document on stdout."""
    click.echo(json.dumps(_plain(value), indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints an aligned table on stdout, as wide as its content when stdout is no terminal."""
    # Here, because most commands print no table and rich takes a tenth of a second to load.
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 10_000
    Console(highlight=False, width=width).print(table, soft_wrap=True)


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return str(value)

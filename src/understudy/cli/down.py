"""``understudy down``: stops what `up` started."""

from pathlib import Path

import click

from understudy.cli import console
from understudy.targets import layout as layouts
from understudy.targets import record


@click.command("down")
@console.output_option
def command(output: str) -> None:
    """Stop everything that up started; state below .understudy/ stays."""
    stopped = record.stop(layouts.find(Path.cwd()))
    if output == "json":
        console.print_json({"stopped": stopped})
    else:
        click.echo("stopped" if stopped else "nothing was running")

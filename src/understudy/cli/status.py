"""``understudy status``: what runs, where, and with which digest."""

import dataclasses
import sys
from pathlib import Path

import click

from understudy.cli import console, program, screen
from understudy.targets import layout as layouts
from understudy.targets import record

_NOT_RUNNING = 1


@click.command("status")
@console.output_option
def command(output: str) -> None:
    """Show what runs, where, and with which digest; exit 1 when nothing does."""
    layout = layouts.find(Path.cwd())
    running = record.read(layout)
    if running is not None:
        if output == "json":
            console.print_json({"state": "running", **dataclasses.asdict(running)})
        else:
            screen.show(running, output)
        return
    starting = record.is_running(layout)
    if output == "json":
        console.print_json({"state": "starting" if starting else "stopped"})
    else:
        click.echo("starting" if starting else f"nothing runs here; start it: {program.name()} up")
    sys.exit(_NOT_RUNNING)

"""``understudy base``: the stand-in for AWS's base image."""

from pathlib import Path

import click

from understudy.cli import console
from understudy.cli.progress import EventPrinter
from understudy.targets import workspace
from understudy.targets.images import ImageBuilder


@click.group("base")
def command() -> None:
    """Make the stand-in for AWS's base image."""


@command.command("build")
@click.argument("name", default="python3.13")
@console.output_option
def build(name: str, output: str) -> None:
    """Build the stand-in base NAME from Debian's packages and print its digest."""
    found = workspace.find(Path.cwd())
    with EventPrinter() as printer, ImageBuilder(found, printer) as builder:
        image = builder.build_base(name)
    if output == "json":
        console.print_json({"name": name, "digest": image.digest, "size_bytes": image.size_bytes})
    else:
        click.echo(image.digest)

"""``understudy build``: images from their Dockerfiles, without a daemon unless one is asked for."""

from pathlib import Path

import click

from understudy.cli import console
from understudy.cli.builder_option import builder_option
from understudy.cli.progress import EventPrinter
from understudy.targets import workspace
from understudy.targets.builders import Builder
from understudy.targets.images import ImageBuilder


@click.command("build")
@click.argument("images", nargs=-1)
@builder_option
@console.output_option
def command(images: tuple[str, ...], builder: Builder | None, output: str) -> None:
    """Build IMAGES of understudy.yaml (all when none is named) and print their digests."""
    found = workspace.find(Path.cwd())
    for name in images:
        found.image(name)
    with EventPrinter() as printer, ImageBuilder(found, printer, builder=builder) as images_of:
        built = [images_of.build(name) for name in images or tuple(found.project.images)]
    if output == "json":
        console.print_json(
            [
                {
                    "name": one.name,
                    "digest": one.image.digest,
                    "size_bytes": one.image.size_bytes,
                    "stand_in_for": one.stand_in_for,
                    "seconds": round(one.seconds, 3),
                }
                for one in built
            ]
        )
        return
    for one in built:
        click.echo(f"{one.name}@{one.image.digest}")

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
@click.option("--load", is_flag=True, help="Load it into Docker as well, for --build-arg BASE_IMAGE.")
@click.option(
    "--archive",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write it to FILE as well, for docker load on another machine.",
)
@console.output_option
def build(name: str, load: bool, archive: Path | None, output: str) -> None:
    """Build the stand-in base NAME from Debian's packages and print its digest.

    In Docker it is called understudy.local/base/NAME. It takes the place of
    public.ecr.aws/lambda/python where no registry can be reached.
    """
    from understudy.image import export
    from understudy.targets import docker_load

    found = workspace.find(Path.cwd())
    with EventPrinter() as printer, ImageBuilder(found, printer) as builder:
        image = builder.build_base(name)
        called = f"understudy.local/base/{name}:latest"
        if archive is not None:
            with archive.open("wb") as file:
                export.write(builder.store, image, called, file)
        if load:
            docker_load.load(builder.store, image, called)
    if output == "json":
        console.print_json({"name": name, "digest": image.digest, "size_bytes": image.size_bytes})
    else:
        click.echo(image.digest)

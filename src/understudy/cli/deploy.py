"""``understudy deploy``: build, verify, push, apply; the digest that was proved is the digest that runs."""

from pathlib import Path
from typing import Any

import click

from understudy.cli import interrupts, releasing, target_option
from understudy.cli.builder_option import builder_option
from understudy.cli.progress import EventPrinter
from understudy.targets import workspace
from understudy.targets.builders import Builder


@click.command("deploy")
@target_option.target_option
@builder_option
@releasing.options
def command(target_name: str, output: str, builder: Builder | None, **asked: Any) -> None:  # noqa: ANN401 - the fields of Asked
    """Build the images, verify them, push them with their proofs, and release them on the target.

    An image that would not start on Lambda is never pushed: the cause is printed and the exit code is 1. A
    new version is probed before the alias moves to it, and looked at afterwards; when it fails, the alias
    goes back by itself and the exit code is 1.

    An AWS target takes only images that were proved: by verify, and by the end-to-end suite on local or
    localstack (./understudy e2e). The local target has to be running (./understudy up).
    """
    from understudy.targets.images import ImageBuilder

    found = workspace.find(Path.cwd())
    target = target_option.target_of(found, target_name)
    # Before the build: a stack that does not run is found at once.
    target.guard()
    with interrupts.stopping() as stop, EventPrinter() as printer:
        with ImageBuilder(found, printer, builder=builder) as images_of:
            digests = {name: images_of.build(name).image.digest for name in found.project.images}
            images = releasing.Images(digests=digests, tags=images_of.tags)
        delivered = releasing.deliver(found, target, images, releasing.Asked(**asked), printer, stop)
    releasing.show(delivered, target, digests, output)

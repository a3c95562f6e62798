"""``understudy promote``: what is live on one target goes to another, as it is, with its proof."""

from pathlib import Path
from typing import Any

import click

from understudy.cli import interrupts, releasing, target_option
from understudy.cli.progress import EventPrinter
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets import workspace
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace


@click.command("promote")
@click.argument("source_name", metavar="SOURCE")
@click.argument("target_name", metavar="TARGET")
@releasing.options
def command(source_name: str, target_name: str, output: str, **asked: Any) -> None:  # noqa: ANN401 - the fields of Asked
    """Deploy to TARGET the digests that are live on SOURCE, with their proofs; nothing is built.

    The images have to be in this project's store. Everything else is as with deploy.
    """
    found = workspace.find(Path.cwd())
    source = target_option.target_of(found, source_name)
    target = target_option.target_of(found, target_name)
    source.guard()
    target.guard()
    images = _live(found, source)
    with interrupts.stopping() as stop, EventPrinter() as printer:
        delivered = releasing.deliver(found, target, images, releasing.Asked(**asked), printer, stop)
    releasing.show(delivered, target, images.digests, output)


def _live(found: Workspace, source: Target) -> releasing.Images:
    """The digest of each image that runs on a target, under the tags that it has there."""
    from understudy.targets.running import Running

    store = Store(found.layout.store).open()
    running = Running(found, source, source.session())
    digests: dict[str, str] = {}
    for name, subject in running.subjects():
        live = running.live(subject)
        if digests.setdefault(name, live.digest) != live.digest:
            raise UnderstudyError(
                "promote-mixed",
                f"functions of {source.name} run {name}@{digests[name]} and {name}@{live.digest}",
                hint=f"./understudy deploy --target {source.name}",
            )
        if not store.has(live.digest):
            raise UnderstudyError(
                "image-not-here",
                f"{source.name} runs {name}@{live.digest}, which is not in this project's store",
                hint="promote where the image was built, or build and deploy it here",
            )
    return releasing.Images(digests=digests, tags=running.tags(digests))

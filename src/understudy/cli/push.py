"""``understudy push``: built images into the target's ECR."""

import time
from pathlib import Path

import click

from understudy.cli import allow_option, confirm, console, target_option
from understudy.cli.progress import EventPrinter
from understudy.image.store import Store
from understudy.targets import workspace
from understudy.targets.events import Advanced, Done, Noticed, Started


@click.command("push")
@click.argument("images", nargs=-1)
@allow_option.allow_option
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(
    images: tuple[str, ...], allowed: dict[str, str], target_name: str, yes: bool, output: str
) -> None:
    """Push built IMAGES (all when none is named) and their proofs to the target's ECR; print their URIs.

    An image that would not start on Lambda is not pushed, nor to an AWS target one that was not proved.
    """
    found = workspace.find(Path.cwd())
    store = Store(found.layout.store).open()
    with EventPrinter() as printer:
        target = target_option.target_of(found, target_name)
        # Before the verification: a target that does not answer is found at once.
        target.guard()
        deployment = target_option.gated(found, target, store, printer, allowed)
        for name in images:
            found.image(name)
        built = deployment.built()
        tags = target_option.image_tags(found)
        pushed = images or tuple(built)
        with printer.paused():
            confirm.ask(target, f"push {', '.join(pushed)}", yes=yes)
        began = time.monotonic()
        printer(Started(step="push"))
        deployment.tell_pushes(lambda line: printer(Advanced(step="push", text=line)))
        uris = {name: deployment.push(name, built[name], tags) for name in pushed}
        printer(Done(step="push", seconds=time.monotonic() - began))
        for notice in deployment.notices:
            printer(Noticed(text=notice))
    if output == "json":
        console.print_json(uris)
    else:
        for uri in uris.values():
            click.echo(uri)

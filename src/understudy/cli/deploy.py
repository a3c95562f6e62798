"""``understudy deploy``: build, verify, push, apply; the digest that was proved is the digest that runs."""

from pathlib import Path

import click

from understudy.cli import allow_option, confirm, console, target_option
from understudy.cli.progress import EventPrinter
from understudy.image.store import Store
from understudy.targets import workspace
from understudy.targets.deployment import Deployed
from understudy.targets.events import Advanced, Done, Noticed, Started


@click.command("deploy")
@allow_option.allow_option
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(allowed: dict[str, str], target_name: str, yes: bool, output: str) -> None:
    """Build the images, verify them, push them with their proofs, and converge the target.

    An image that would not start on Lambda is never pushed: the cause is printed and the exit code is 1. The
    local target has to be running (./understudy up).
    """
    import time

    from understudy.targets.images import ImageBuilder

    found = workspace.find(Path.cwd())
    target = target_option.target_of(found, target_name)
    # Before the build: a stack that does not run is found at once.
    target.guard()
    with EventPrinter() as printer:
        with ImageBuilder(found, printer) as builder:
            digests = {name: builder.build(name).image.digest for name in found.project.images}
            tags = builder.tags
        store = Store(found.layout.store).open()
        deployment = target_option.gated(found, target, store, printer, allowed)
        step = f"deploy to {target_name}"
        started = time.monotonic()
        deployment.check(digests)
        printer(Started(step=step))
        deployed = deployment.apply(
            digests,
            tags,
            lambda event: printer(Advanced(step=step, text=f"{event.key}: {event.verb} {event.phase}")),
            confirm.approval(target, printer, yes=yes),
        )
        printer(Done(step=step, seconds=time.monotonic() - started))
        for notice in deployment.notices:
            printer(Noticed(text=notice))
    _show(deployed, digests, output)


def _show(deployed: Deployed, digests: dict[str, str], output: str) -> None:
    if output == "json":
        applied = {str(key): verb for key, verb in deployed.report.applied.items()}
        console.print_json({"images": digests, "applied": applied, "api_id": deployed.api_id()})
        return
    for name, digest in digests.items():
        function = deployed.function_of(name)
        click.echo(f"{name} {digest}" + (f" runs as {function}" if function else ""))
    written = deployed.report.writes
    click.echo(f"{len(written)} changed, {len(deployed.report.applied) - len(written)} unchanged")

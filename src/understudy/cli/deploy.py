"""``understudy deploy``: build, verify, push, apply; the digest that was proved is the digest that runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from understudy.cli import allow_option, confirm, console, interrupts, rollout_options, target_option
from understudy.cli.progress import EventPrinter
from understudy.image.store import Store
from understudy.targets import workspace
from understudy.targets.events import Noticed

if TYPE_CHECKING:
    from understudy.targets.delivery import Delivered


@click.command("deploy")
@allow_option.allow_option
@rollout_options.canary_option
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(allowed: dict[str, str], canary: str, target_name: str, yes: bool, output: str) -> None:
    """Build the images, verify them, push them with their proofs, and release them on the target.

    An image that would not start on Lambda is never pushed: the cause is printed and the exit code is 1. A
    new version is probed before the alias moves to it, and looked at afterwards; when it fails, the alias
    goes back by itself and the exit code is 1. The local target has to be running (./understudy up).
    """
    from understudy.targets.delivery import Delivery, Terms
    from understudy.targets.images import ImageBuilder

    found = workspace.find(Path.cwd())
    share = rollout_options.parse(canary)
    target = target_option.target_of(found, target_name)
    # Before the build: a stack that does not run is found at once.
    target.guard()
    with interrupts.stopping() as stop, EventPrinter() as printer:
        with ImageBuilder(found, printer) as builder:
            digests = {name: builder.build(name).image.digest for name in found.project.images}
            tags = builder.tags
        store = Store(found.layout.store).open()
        deployment = target_option.gated(found, target, store, printer, allowed)
        deployment.check(digests)
        sha = found.git_sha()
        terms = Terms(
            canary=share,
            description=f"git {sha}" if sha else "",
            approve=confirm.approval(target, printer, yes=yes),
            stop=stop,
        )
        delivered = Delivery(deployment, target, printer).deliver(digests, tags, terms)
        for notice in deployment.notices:
            printer(Noticed(text=notice))
    show(delivered, target_name, digests, output)


def show(delivered: "Delivered", target_name: str, digests: dict[str, str], output: str) -> None:
    """Prints what a deploy did."""
    report = delivered.deployed.report
    if output == "json":
        console.print_json(
            {
                "target": target_name,
                "images": digests,
                "applied": {str(key): verb for key, verb in report.applied.items()},
                "api_id": delivered.deployed.api_id(),
                "live": delivered.live,
                "checks": delivered.checks,
            }
        )
        return
    for name, digest in digests.items():
        function = delivered.deployed.function_of(name)
        click.echo(f"{name} {digest}" + (f" runs as {function}" if function else ""))
    for one in delivered.live:
        if one.previous:
            click.echo(f"{one}: version {one.previous} -> {one.version}")
    for check in delivered.checks:
        click.echo(f"{check.outcome} {check.name}: {check.detail}")
    click.echo(f"{len(report.writes)} changed, {len(report.applied) - len(report.writes)} unchanged")

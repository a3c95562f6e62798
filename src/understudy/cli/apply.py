"""``understudy apply``: converges a target to the manifests."""

import time

import click

from understudy.cli import console, target_option
from understudy.cli.progress import EventPrinter
from understudy.reconcile.model import ApplyEvent
from understudy.targets.events import Advanced, Done, Started


@click.command("apply")
@target_option.target_option
@console.output_option
def command(target_name: str, output: str) -> None:
    """Converge the target to the manifests: observe, plan, apply; images must have been built."""
    found, deployment = target_option.deployment_of(target_name)
    step = f"apply to {target_name}"
    started = time.monotonic()
    with EventPrinter() as printer:

        def on_event(event: ApplyEvent) -> None:
            printer(Advanced(step=step, text=f"{event.key}: {event.verb} {event.phase}"))

        printer(Started(step=step))
        deployed = deployment.apply(deployment.built(), target_option.image_tags(found), on_event)
        printer(Done(step=step, seconds=time.monotonic() - started))
    written = deployed.report.writes
    if output == "json":
        applied = {str(key): verb for key, verb in deployed.report.applied.items()}
        console.print_json({"applied": applied, "api_id": deployed.api_id()})
        return
    for key in written:
        click.echo(f"{deployed.report.applied[key]} {key}")
    click.echo(f"{len(written)} changed, {len(deployed.report.applied) - len(written)} unchanged")

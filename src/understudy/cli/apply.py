"""``understudy apply``: converges a target to the manifests."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from understudy.cli import allow_option, confirm, console, plan_view, target_option
from understudy.cli.progress import EventPrinter
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.manifests.model import ResourceKey
from understudy.reconcile import conditions
from understudy.reconcile.errors import ApplyError
from understudy.reconcile.model import ApplyEvent, ApplyReport
from understudy.targets import workspace
from understudy.targets.events import Advanced, Done, Noticed, Started


@click.command("apply")
@allow_option.allow_option
@target_option.target_option
@confirm.yes_option
@console.output_option
def command(allowed: dict[str, str], target_name: str, yes: bool, output: str) -> None:
    """Converge the target to the manifests: observe, plan, apply; images must have been built.

    Nothing is applied when an image would not start on Lambda or, on an AWS target, was not proved.
    """
    found = workspace.find(Path.cwd())
    store = Store(found.layout.store).open()
    step = f"apply to {target_name}"
    with EventPrinter() as printer:
        target = target_option.target_of(found, target_name)
        # Before the verification: a target that does not answer is found at once.
        target.guard()
        deployment = target_option.gated(found, target, store, printer, allowed)
        digests = deployment.built()
        deployment.check(digests)

        def on_event(event: ApplyEvent) -> None:
            printer(Advanced(step=step, text=f"{event.key}: {event.verb} {event.phase}"))

        started = time.monotonic()
        printer(Started(step=step))
        approve = confirm.approval(target, printer, yes=yes)
        try:
            deployed = deployment.apply(digests, target_option.image_tags(found), on_event, approve)
        except ApplyError as error:
            if output == "json":
                console.print_json(_document(error.report, error.failures))
            raise
        printer(Done(step=step, seconds=time.monotonic() - started))
        for notice in deployment.notices:
            printer(Noticed(text=notice))
    written = deployed.report.writes
    if output == "json":
        console.print_json({**_document(deployed.report), "api_id": deployed.api_id()})
        return
    for key in written:
        click.echo(f"{deployed.report.applied[key]} {key}")
    click.echo(f"{len(written)} changed, {len(deployed.report.applied) - len(written)} unchanged")


def _document(
    report: ApplyReport, failures: Mapping[ResourceKey, UnderstudyError] = MappingProxyType({})
) -> dict[str, Any]:
    states = conditions.after(report, failures)
    return {
        "applied": {str(key): verb for key, verb in report.applied.items()},
        "resources": [plan_view.state_document(state) for state in states],
    }

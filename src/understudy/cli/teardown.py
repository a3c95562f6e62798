"""What `delete`, `prune` and `adopt` share: show the plan, ask, carry it out, tell what was done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from understudy.cli import confirm, console, plan_view, target_option
from understudy.cli.progress import EventPrinter
from understudy.targets import teardown, workspace
from understudy.targets.events import Advanced, Done, Started

if TYPE_CHECKING:
    from collections.abc import Callable

    from understudy.reconcile.model import ApplyEvent, ApplyReport, Plan
    from understudy.targets.teardown import Teardown


def run(target_name: str, what: str, decide: Callable[[Teardown], Plan], *, yes: bool, output: str) -> None:
    """Looks at the target, shows what `decide` decides, asks, and does it.

    Deleting is asked about on every target, not on production alone.

    Raises:
        UnderstudyError: nobody confirmed, or something could not be done.
    """
    found = workspace.find(Path.cwd())
    target = target_option.target_of(found, target_name)
    seen = teardown.look(found, target)
    plan = decide(seen)
    if plan.actions:
        plan_view.show(plan, err=output == "json")
    if not plan.writes:
        _tell(plan, None, what, output)
        return
    confirm.ask(target, f"{what} {len(plan.writes)} of the resources above", yes=yes, always=what == "delete")
    step = f"{what} on {target_name}"
    with EventPrinter() as printer:

        def on_event(event: ApplyEvent) -> None:
            printer(Advanced(step=step, text=f"{event.key}: {event.verb} {event.phase}"))

        started = time.monotonic()
        printer(Started(step=step))
        report = seen.carry_out(plan, on_event)
        printer(Done(step=step, seconds=time.monotonic() - started))
    _tell(plan, report, what, output)


def _tell(plan: Plan, report: ApplyReport | None, what: str, output: str) -> None:
    if output == "json":
        applied = {str(key): verb for key, verb in report.applied.items()} if report else {}
        console.print_json({**plan_view.document(plan), "applied": applied})
    elif report:
        click.echo(f"{len(report.writes)} changed")
    else:
        click.echo(f"nothing to {what}")

"""``--yes``, and the question before a command writes to a target that says ``production: true``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from understudy.cli.progress import EventPrinter
    from understudy.reconcile.model import Plan
    from understudy.targets.target import Target

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def yes_option(command: Decorated) -> Decorated:
    """Adds ``--yes``."""
    return click.option("--yes", "-y", is_flag=True, help="Do it without asking.")(command)


def ask(target: Target, what: str, *, yes: bool, always: bool = False) -> None:
    """Returns when `what` may be done to the target: at once unless it is production and nobody said yes.

    Args:
        target: where.
        what: what would be done, as the question begins.
        yes: whether the command line said so already.
        always: whether to ask on other targets too.

    Raises:
        UnderstudyError: nobody is at the terminal to be asked.
        click.Abort: somebody said no.
    """
    if yes or not (target.production or always):
        return
    which = ", which is production" if target.production else ""
    question = f"{what} on {target.name}, account {target.account()} in {target.region}{which}"
    if not _interactive():
        raise UnderstudyError(
            "confirmation-missing", f"nobody confirmed: {question}", hint="run the same command with --yes"
        )
    click.confirm(f"{question}: go on?", abort=True, err=True)


def approval(target: Target, printer: EventPrinter, *, yes: bool) -> Callable[[Plan], None]:
    """Returns the function that shows a plan and asks, before its first write."""

    def approve(plan: Plan) -> None:
        if yes or not plan.writes or not target.production:
            return
        # Here, because most commands ask nothing.
        from understudy.cli import plan_view

        counts = plan.counts()
        what = ", ".join(f"{counts[verb]} {verb}" for verb in sorted(counts) if verb != "unchanged")
        with printer.paused():
            plan_view.show(plan, err=True)
            ask(target, what, yes=yes)

    return approve


def _interactive() -> bool:
    return sys.stdin.isatty()

"""``understudy rollout``: what is live on a target, what was, and back to it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from understudy.cli import confirm, console, target_option
from understudy.cli.progress import EventPrinter
from understudy.targets import workspace

if TYPE_CHECKING:
    from understudy.reconcile.rollout.model import Rollout
    from understudy.targets.rollouts import Rollouts
    from understudy.targets.target import Target

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _options(command: Decorated) -> Decorated:
    for add in (
        console.output_option,
        click.option("--function", default="", metavar="NAME", help="One function of the project."),
        target_option.target_option,
    ):
        command = add(command)
    return command


@click.group("rollout")
def command() -> None:
    """Show what is live on a target, what was, and go back to it."""


@command.command("status")
@_options
def status(target_name: str, function: str, output: str) -> None:
    """Show which version and digest callers get."""
    with EventPrinter() as printer:
        found = _rollouts(target_name, printer)[1].read(function)
    if output == "json":
        console.print_json(found)
        return
    for one in found:
        live = one.revisions[0]
        click.echo(f"{one.alias} version {live.version} {live.digest}")
        for word, text in (
            (
                "canary",
                ", ".join(f"{share:.0%} to version {name}" for name, share in one.alias.weights.items()),
            ),
            ("published", live.published),
            ("from", live.description),
            ("without proof", one.without_proof),
        ):
            if text:
                click.echo(f"  {word}: {text}")


@command.command("history")
@_options
def history(target_name: str, function: str, output: str) -> None:
    """List the versions that were live, newest first."""
    with EventPrinter() as printer:
        found = _rollouts(target_name, printer)[1].read(function)
    if output == "json":
        console.print_json(found)
        return
    console.print_table(["ALIAS", "REVISION", "", "DIGEST", "PUBLISHED", "FROM"], _rows(found))


@command.command("undo")
@click.option(
    "--to-revision", default="", metavar="N", help="The version to go to; the one before by default."
)
@confirm.yes_option
@_options
def undo(target_name: str, function: str, to_revision: str, yes: bool, output: str) -> None:
    """Point the alias at the version before, after a probe of it; a canary under way is just ended.

    A version that does not work gets no traffic: the alias stays, and the exit code is 1. The manifests are
    not changed: the next deploy goes forward again.
    """
    with EventPrinter() as printer:
        target, rollouts = _rollouts(target_name, printer)
        with printer.paused():
            confirm.ask(
                target,
                f"go back to {f'version {to_revision}' if to_revision else 'the version before'}",
                yes=yes,
            )
        done = rollouts.undo(function, to_revision)
    if output == "json":
        console.print_json(done)
        return
    for version in done.ended_canary:
        click.echo(f"{done.live}: the canary of version {version} ended")
    moved = (
        f"version {done.live.previous} -> {done.live.version}"
        if done.live.previous
        else f"version {done.live.version}"
    )
    click.echo(f"{done.live}: {moved} {done.live.digest}")


def _rollouts(target_name: str, printer: EventPrinter) -> "tuple[Target, Rollouts]":
    from understudy.targets.rollouts import Rollouts

    found = workspace.find(Path.cwd())
    target = target_option.target_of(found, target_name)
    target.guard()
    return target, Rollouts(found, target, target.session(), printer)


def _rows(found: "tuple[Rollout, ...]") -> list[list[str]]:
    return [
        [
            str(one.alias),
            revision.version,
            "live" if revision.is_live else "",
            revision.digest or "(deleted)",
            revision.published,
            revision.description,
        ]
        for one in found
        for revision in one.revisions
    ]

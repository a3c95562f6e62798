"""What `deploy` and `promote` share: the gates, the delivery of known digests, and what is printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from understudy.cli import allow_option, confirm, console, rollout_options
from understudy.image.store import Store
from understudy.targets.events import Noticed

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from understudy.cli.progress import EventPrinter
    from understudy.targets.delivery import Delivered
    from understudy.targets.target import Target
    from understudy.targets.workspace import Workspace

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says about a release, by the names of its options."""

    allowed: Mapping[str, str]
    canary: str
    without_proof: str
    yes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What is released.

    Attributes:
        digests: by the image's name in the project file.
        tags: that they carry in their repositories.
    """

    digests: Mapping[str, str]
    tags: Sequence[str]


def options(command: Decorated) -> Decorated:
    """Adds the options of `Asked`, and ``--output``."""
    for add in (
        console.output_option,
        confirm.yes_option,
        rollout_options.without_proof_option,
        rollout_options.canary_option,
        allow_option.allow_option,
    ):
        command = add(command)
    return command


def deliver(
    found: Workspace,
    target: Target,
    images: Images,
    asked: Asked,
    printer: EventPrinter,
    stop: threading.Event,
) -> Delivered:
    """Returns what was deployed, once it was looked at.

    Raises:
        UnderstudyError: an image may not go there, or what was deployed does not work.
    """
    from understudy.reconcile.rollout import plan
    from understudy.targets.delivery import Delivery, Terms
    from understudy.targets.deployment import Deployment
    from understudy.targets.proofs import ProofGate
    from understudy.targets.starts.gate import ColdStartGate
    from understudy.targets.verification import Gate

    canary = rollout_options.parse(asked.canary)
    store = Store(found.layout.store).open()
    gate = Gate(workspace=found, target=target, store=store, report=printer, allowed=asked.allowed)
    deployment = Deployment(found, target, store, gate)
    deployment.check(images.digests)
    proofs = ProofGate(workspace=found, target=target, store=store, gate=gate)
    proved = proofs.check(images.digests, asked.without_proof)
    if proved.reason:
        printer(Noticed(text=f"deploying without proof: {proved.reason}"))
    budgets = ColdStartGate(workspace=found, target=target, store=store, tell=printer)
    kept = budgets.check(images.digests)
    commit = ", ".join(tag for tag in images.tags if tag != "latest")
    terms = Terms(
        canary=canary,
        description=plan.description(f"git {commit}" if commit else "", proved.words),
        without_proof=proved.reason,
        approve=confirm.approval(target, printer, yes=asked.yes),
        stop=stop,
    )
    delivered = Delivery(deployment, target, printer).deliver(images.digests, images.tags, terms)
    budgets.accept(images.digests)
    for notice in deployment.notices:
        printer(Noticed(text=notice))
    return replace(delivered, checks=(*kept, *delivered.checks))


def show(delivered: Delivered, target: Target, digests: Mapping[str, str], output: str) -> None:
    """Prints what a deploy did."""
    report = delivered.deployed.report
    if output == "json":
        console.print_json(
            {
                "target": target.name,
                "images": digests,
                "applied": {str(key): verb for key, verb in report.applied.items()},
                "api_id": delivered.deployed.api_id(),
                "live": delivered.live,
                "checks": delivered.checks,
                "without_proof": delivered.without_proof,
            }
        )
        return
    for name, digest in digests.items():
        functions = ", ".join(one for one, _ in delivered.deployed.functions_of(name))
        click.echo(f"{name} {digest}" + (f" runs as {functions}" if functions else ""))
    for one in delivered.live:
        if one.previous:
            click.echo(f"{one}: version {one.previous} -> {one.version}")
    for check in delivered.checks:
        click.echo(f"{check.outcome} {check.name}: {check.detail}")
    click.echo(f"{len(report.writes)} changed, {len(report.applied) - len(report.writes)} unchanged")

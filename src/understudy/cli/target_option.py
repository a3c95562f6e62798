"""What commands that talk to a target share: the option, and the deployment that it names.

A running stack is found wherever it listens: `up --port 4567` needs no option on the commands that follow.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from understudy.image.store import Store
from understudy.targets import workspace
from understudy.targets.workspace import Workspace

if TYPE_CHECKING:
    from understudy.targets.deployment import Deployment
    from understudy.targets.events import Report
    from understudy.targets.target import Target

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def target_option(command: Decorated) -> Decorated:
    """Adds ``--target NAME``."""
    option = click.option(
        "--target",
        "target_name",
        metavar="NAME",
        default="local",
        show_default=True,
        help="Target of understudy.yaml.",
    )
    return option(command)


def deployment_of(target_name: str) -> tuple[Workspace, "Deployment"]:
    """Returns the project of the current folder and its deployment on the target.

    Raises:
        UnderstudyError: no project here, or no such target.
    """
    # Here, because `verify` needs a target and deploys nothing.
    from understudy.targets.deployment import Deployment

    found = workspace.find(Path.cwd())
    store = Store(found.layout.store).open()
    return found, Deployment(found, target_of(found, target_name), store)


def gated(
    found: Workspace, target: "Target", store: Store, report: "Report", allowed: Mapping[str, str]
) -> "Deployment":
    """Returns a deployment that pushes only images that `verify` passes; to an AWS target, proved ones."""
    # Here, because most commands push nothing.
    from understudy.targets.deployment import Deployment
    from understudy.targets.proofs import ProofGate, ProvedGate
    from understudy.targets.verification import Gate

    gate = Gate(workspace=found, target=target, store=store, report=report, allowed=allowed)
    proofs = ProofGate(workspace=found, target=target, store=store, gate=gate)
    return Deployment(found, target, store, ProvedGate(proofs=proofs))


def target_of(found: Workspace, target_name: str) -> "Target":
    """Returns the target of that name; the one that `up` brings up is where this project's stack runs now.

    Raises:
        UnderstudyError: the project has no such target.
    """
    # Here, because `verify` reads its image while these are being loaded.
    from understudy.targets import local_engine, record, target
    from understudy.targets.local import LocalTarget

    named = target.find(found.project, target_name)
    for notice in named.notices:
        click.echo(f"note: {notice}", err=True)
    if not isinstance(named, LocalTarget) or target_name != local_engine.name_of(found.project):
        return named
    running = record.read(found.layout)
    return dataclasses.replace(named, endpoint_url=running.endpoint) if running else named


def image_tags(found: Workspace) -> tuple[str, ...]:
    """What images are called in their repositories: ``latest``, and the commit where there is one."""
    sha = found.git_sha()
    return ("latest", sha) if sha else ("latest",)

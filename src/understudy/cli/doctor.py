"""``understudy doctor``: what this machine lacks, and the command that mends it."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from understudy.cli import console
from understudy.errors import EnvironmentProblemError
from understudy.sandbox import executors, namespaces
from understudy.sandbox.docker import executor as docker_executor
from understudy.targets import doctor
from understudy.targets.doctor import Check

_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "error": "[red]error[/]"}


@click.command("doctor")
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    default=4566,
    show_default=True,
    help="Where the local endpoint will listen.",
)
@console.output_option
def command(port: int, output: str) -> None:
    """Say what this machine lacks, with the command to fix each; exit 1 when something is missing."""
    checks = doctor.examine(Path.cwd(), port=port, sandbox=_sandbox_checks)
    if output == "json":
        console.print_json(checks)
    else:
        console.print_table(
            ["", "CHECK", "FOUND", "FIX"],
            [[_MARKS[check.severity], check.name, check.found, check.fix] for check in checks],
        )
    sys.exit(any(check.severity == "error" for check in checks))


def _sandbox_checks() -> Iterator[Check]:
    chosen = executors.chosen(os.environ)
    findings = namespaces.check()
    if not findings:
        yield Check(name="sandbox", severity="ok", found="every constraint of Lambda's can be enforced")
    for finding in findings:
        forbidden = isinstance(finding, EnvironmentProblemError) and chosen == executors.NAMESPACES
        yield Check(
            name=f"sandbox: {finding.code}",
            severity="error" if forbidden else "warning",
            found=finding.message,
            fix=finding.hint,
        )
    yield _docker_check(chosen == executors.DOCKER)


def _docker_check(needed: bool) -> Check:
    name = "executor docker" if needed else "executor docker (optional)"
    try:
        found = asyncio.run(docker_executor.describe(os.environ))
    except EnvironmentProblemError as error:
        return Check(
            name=name,
            severity="error" if needed else "ok",
            found=error.message,
            fix=error.hint if needed else "",
        )
    return Check(name=name, severity="ok", found=found)

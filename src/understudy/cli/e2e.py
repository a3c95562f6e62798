"""``understudy e2e``: the end-to-end suite against a target, and the record that it passed."""

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from understudy.cli import run, target_option
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image.store import Store
from understudy.targets import local_engine, record, workspace
from understudy.targets.workspace import Workspace

if TYPE_CHECKING:
    from understudy.targets.suite import Results, UnderTest
    from understudy.targets.target import Target


@click.command("e2e", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True})
@target_option.target_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(target_name: str, arguments: tuple[str, ...]) -> None:
    """Run tests/e2e against what runs on the target; ARGUMENTS are pytest's.

    When the whole suite passes, a signed record of it is attached to the image: the second half of the proof
    that a deploy to a guarded target asks for. The local stack is brought up when it does not run, and then
    stopped again.
    """
    found = workspace.find(Path.cwd())
    if importlib.util.find_spec("pytest") is None:
        raise EnvironmentProblemError(
            "pytest-missing",
            f"{sys.executable} has no pytest, which runs the suite",
            hint=f"tox -e e2e-{target_name} brings it along, as ./understudy test -e e2e-{target_name} does; "
            f"or: {sys.executable} -m pip install pytest",
        )
    with _up(found, target_name) as dev_url:
        target = target_option.target_of(found, target_name)
        target.guard()
        code = _suite(found, target, arguments, {"E2E_DEV_URL": dev_url} if dev_url else {})
    sys.exit(code)


@contextlib.contextmanager
def _up(found: Workspace, target_name: str) -> Iterator[str]:
    """The local stack for the time of the block, where it is the target; yields its development server."""
    is_local = target_name in found.project.targets and target_name == local_engine.name_of(found.project)
    if not is_local or (record.read(found.layout) is None and _answers(found, target_name)):
        yield ""
        return
    with run.up(found.layout) as running:
        yield running.dev_url


def _answers(found: Workspace, target_name: str) -> bool:
    """Whether an engine that `up` did not start is there."""
    try:
        target_option.target_of(found, target_name).guard()
    except EnvironmentProblemError:
        return False
    return True


def _suite(found: Workspace, target: "Target", arguments: tuple[str, ...], more: dict[str, str]) -> int:
    from understudy.targets import suite

    aws = target.session()
    before = suite.under_test(found, target, aws)
    revision = suite.revision(found.root)
    click.echo(f"{target.name}: {before.api_url}", err=True)
    for name, live in before.live:
        click.echo(f"{target.name}: {live} runs {name} {live.digest}, version {live.version}", err=True)
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "results.xml"
        code = _pytest(found, target, arguments, {**before.variables, **more}, told)
        results = suite.results(told) if code == 0 else None
    if results is None:
        return code
    after = suite.under_test(found, target, aws)
    if (after.live, suite.revision(found.root)) != (before.live, revision):
        raise UnderstudyError(
            "suite-overtaken",
            f"what runs on {target.name}, or the suite, changed while the suite ran",
            hint="run the same command again",
        )
    _record(found, target, arguments, before, results)
    return 0


def _pytest(
    found: Workspace, target: "Target", arguments: tuple[str, ...], variables: dict[str, str], told: Path
) -> int:
    from understudy.reconcile import credentials
    from understudy.targets import suite

    without = {*credentials.CHOICES, suite.OPTIONS_VARIABLE}
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    argv = [sys.executable, "-m", "pytest", suite.FOLDER, "--target", target.name]
    return subprocess.call(
        [*argv, *arguments, f"--junit-xml={told}"], cwd=found.root, env={**inherited, **variables}
    )


def _record(
    found: Workspace, target: "Target", arguments: tuple[str, ...], before: "UnderTest", results: "Results"
) -> None:
    from understudy.targets import suite
    from understudy.targets.deployment import Deployment

    if not suite.is_whole(arguments):
        click.echo("no record: the arguments may leave tests out", err=True)
        return
    if results.skipped or not results.passed:
        click.echo(f"no record: {results.passed} tests passed, {results.skipped} were skipped", err=True)
        return
    store = Store(found.layout.store).open()
    elsewhere = [name for name, live in before.live if not store.has(live.digest)]
    if elsewhere and not target.guarded:
        # By Compose's deploy service, for one: a proof is kept where the image is.
        click.echo(f"no record: built elsewhere: {', '.join(elsewhere)}", err=True)
        return
    names = suite.record(found, store, target, before, results)
    deployment = Deployment(found, target, store)
    deployment.attach_to_repositories({name: live.digest for name, live in before.live})
    for notice in deployment.notices:
        click.echo(f"note: {notice}", err=True)
    click.echo(f"recorded for {', '.join(names)}: {results.passed} passed", err=True)

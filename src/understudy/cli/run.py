"""``understudy run``: a command with the local stack up, such as the end-to-end suite."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from understudy.targets import layout as layouts
from understudy.targets import record
from understudy.targets.layout import Layout
from understudy.targets.local import ACCOUNT
from understudy.targets.record import StackRecord


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run a command with the local stack up, and stop the stack if this started it.

    The command finds E2E_API_URL, E2E_FUNCTION, E2E_IMAGE_DIGEST, AWS_ENDPOINT_URL and dummy credentials.
    """
    if shutil.which(arguments[0]) is None:
        raise click.BadParameter(f"there is no command {arguments[0]}", param_hint="ARGUMENTS")
    with up(layouts.find(Path.cwd())) as running:
        code = subprocess.call(list(arguments), env={**os.environ, **variables(running)})
    # A shell says 128 + N for a command that signal N ended.
    sys.exit(code if code >= 0 else 128 - code)


@contextlib.contextmanager
def up(layout: Layout) -> Iterator[StackRecord]:
    """The local stack for the time of the block; one that runs already is left running."""
    running = record.read(layout)
    if running is not None:
        yield running
        return
    try:
        yield _up(layout)
    finally:
        record.stop(layout)


def _up(layout: Layout) -> StackRecord:
    done = subprocess.run(
        [sys.executable, "-m", "understudy", "up", "--detach", "--no-watch", "--output", "json"],
        cwd=layout.root,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(done.returncode)
    return record.parse(done.stdout.decode())


def variables(running: StackRecord) -> dict[str, str]:
    """Returns what a command needs to know of the local stack."""
    return {
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_REGION": running.region,
        "AWS_DEFAULT_REGION": running.region,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "E2E_API_URL": running.api_url,
        "E2E_DEV_URL": running.dev_url,
        "E2E_FUNCTION": running.function,
        "E2E_IMAGE_DIGEST": running.image_digest,
    }

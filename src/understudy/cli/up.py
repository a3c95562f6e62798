"""``understudy up``: local AWS, the image built and deployed, an API in front of it, a development server."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypedDict, Unpack

import click

from understudy.cli import allow_option, console, executor_option, program
from understudy.cli.builder_option import builder_option
from understudy.errors import UnderstudyError
from understudy.targets import events, layout, record
from understudy.targets.builders import Builder
from understudy.targets.events import Report
from understudy.targets.layout import Layout
from understudy.targets.record import AlreadyRunningError, StackRecord
from understudy.targets.up_options import UpOptions

_TAIL_INTERVAL_S = 0.02
_EVENTS_VARIABLE = "UNDERSTUDY_UP_EVENTS"
_INTERRUPTED = 130


class _Stopped(BaseException):
    """A signal asked the stack to end while it was starting; no code of ours catches it by accident."""


class Options(TypedDict):
    """What may differ between runs, as on the command line."""

    watch: bool
    dev: bool
    port: int | None
    dev_port: int | None
    engine: tuple[str, int] | None
    builder: Builder | None
    allowed: dict[str, str]


@click.command("up")
@click.option("--detach", "-d", is_flag=True, help="Return when everything answers; stop with down.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Rebuild and release on save.")
@click.option("--dev/--no-dev", default=True, show_default=True, help="Run the development server.")
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help="Port of the local endpoint; 0 takes a free one.  [default: understudy.yaml]",
)
@click.option(
    "--dev-port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    help="Port of the development server.  [default: understudy.yaml]",
)
@click.option(
    "--engine",
    metavar="HOST:PORT",
    callback=lambda _, __, value: value and _address(value),
    help="Deploy to the engine, or LocalStack, that answers there, and start none.",
)
@builder_option
@allow_option.allow_option
@executor_option.executor_option
@console.output_option
def command(detach: bool, output: str, **options: Unpack[Options]) -> None:
    """Start local AWS, build, verify and deploy the image, serve it; print the URLs.

    An image that would not start on Lambda is not deployed: the cause is printed and the exit code is 1.
    """
    found = layout.find(Path.cwd())
    serve = functools.partial(_serve, found, UpOptions(**options))
    events_path = os.environ.pop(_EVENTS_VARIABLE, None)
    if events_path:
        with Path(events_path).open("a", buffering=1) as lines:
            serve(lambda event: _append(lines.write, event), lambda _: None)
    elif detach:
        _show(_detached(found), output)
    else:
        from understudy.cli.progress import EventPrinter

        with EventPrinter() as printer:
            serve(printer, lambda running: _show(running, output))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter(f"{text} is no HOST:PORT", param_hint="--engine")
    return host, int(port)


def _show(running: StackRecord, output: str) -> None:
    from understudy.cli import screen

    screen.show(running, output)


def _append(write: Callable[[str], object], event: events.Event) -> None:
    write(events.to_line(event) + "\n")


def _serve(
    found: Layout,
    options: UpOptions,
    report: Report,
    ready: Callable[[StackRecord], None],
) -> None:
    """Runs the stack in this process until SIGINT or SIGTERM."""
    # Here, because the detaching parent has no use for it.
    from understudy.targets import local_engine, workspace

    stop = threading.Event()
    starting = True

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()
        if starting:
            raise _Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    try:
        space = workspace.find(found.root)
        with local_engine.claimed(space, options) as engine:
            from understudy.targets.local_stack import LocalStack

            with LocalStack(space, engine, options, report) as stack:
                running = stack.up(stop)
                starting = False
                ready(running)
                stack.serve(stop)
    except _Stopped:
        _leave()


def _leave() -> None:
    """Ends the process at once: a build may still run in a thread, and the store survives that."""
    sys.stderr.flush()
    os._exit(_INTERRUPTED)


def _detached(found: Layout) -> StackRecord:
    """Starts this same command in a session of its own and returns what runs once it answers.

    Raises:
        AlreadyRunningError: the stack runs already.
        UnderstudyError: it ended while starting.
    """
    if record.is_running(found):
        raise AlreadyRunningError(
            "already-running",
            f"a stack of {found.root} is running already",
            hint="./understudy status, or ./understudy down to stop it",
        )
    found.run.mkdir(parents=True, exist_ok=True)
    path, log = found.run / "up.events", found.run / "up.log"
    path.write_bytes(b"")
    with log.open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "understudy", *sys.argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, _EVENTS_VARIABLE: str(path), program.VARIABLE: program.name()},
        )
    try:
        # After the child is on its way, because it takes as long to load as the child does.
        from understudy.cli.progress import EventPrinter

        with EventPrinter() as printer:
            return _follow(found, child, path, printer)
    except BaseException:
        child.terminate()
        child.wait()
        raise


def _follow(found: Layout, child: "subprocess.Popen[bytes]", path: Path, report: Report) -> StackRecord:
    with path.open() as lines:
        while True:
            ended = child.poll() is not None
            for line in lines:
                report(events.from_line(line))
            running = record.read(found)
            if running is not None:
                return running
            if ended:
                _fail(found.run / "up.log", child.returncode)
            time.sleep(_TAIL_INTERVAL_S)


def _fail(log: Path, status: int) -> NoReturn:
    """Ends as the child in the background did: with its words and its exit code.

    Raises:
        UnderstudyError: it ended without a word.
    """
    said = log.read_text(errors="replace").strip()
    if not said or status <= 0:
        raise UnderstudyError(
            "up-failed",
            f"up ended with status {status}" + (f":\n{said}" if said else ""),
            hint="./understudy up, without --detach, to watch it",
            where=str(log),
        )
    click.echo(said, err=True)
    sys.exit(status)

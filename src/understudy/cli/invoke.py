"""``understudy invoke``: a function, once."""

import json
import sys
from pathlib import Path
from typing import TypedDict, Unpack

import click

from understudy.cli import console, target_option
from understudy.reconcile import invocation

_FUNCTION_FAILED = 1


class Asked(TypedDict):
    """The event and how to run it, as on the command line."""

    payload: str | None
    event_path: Path | None
    http_path: str | None
    debug_port: int | None


@click.command("invoke")
@click.argument("function", required=False)
@click.option("--payload", metavar="JSON", help="The event, as JSON.  [default: {}]")
@click.option(
    "--event",
    "event_path",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="File that holds the event, as JSON.",
)
@click.option(
    "--path", "http_path", metavar="PATH", help="Send an HTTP API event (payload 2.0): GET this path."
)
@click.option(
    "--debug",
    "debug_port",
    metavar="PORT",
    type=click.IntRange(1024, 65535),
    help="Wait for a debugger on PORT before any code runs; on this machine only.",
)
@target_option.target_option
@console.output_option
def command(function: str | None, target_name: str, output: str, **asked: Unpack[Asked]) -> None:
    """Invoke FUNCTION (the project's first one when it is not named); log on stderr, answer on stdout.

    With --debug the invocation runs in a sandbox of its own, with debugpy over the image and no timeout.
    """
    event = _event(asked["payload"], asked["event_path"], asked["http_path"])
    port = asked["debug_port"]
    answer = _invoke(function, event, target_name) if port is None else _debug(function, event, port)
    if output == "json":
        console.print_json(
            {
                "payload": answer.payload.decode(errors="replace"),
                "function_error": answer.function_error,
                "version": answer.version,
                "log_tail": answer.log_tail,
            }
        )
    else:
        if port is None:
            click.echo(answer.log_tail.rstrip(), err=True)
        click.echo(answer.payload)
    sys.exit(_FUNCTION_FAILED if answer.function_error else 0)


def _invoke(function: str | None, event: bytes, target_name: str) -> invocation.Invocation:
    found, deployment = target_option.deployment_of(target_name)
    return deployment.invoke(function or deployment.first_function(found.first_image()), event)


def _debug(function: str | None, event: bytes, port: int) -> invocation.Invocation:
    """Invokes under a debugger; the log is printed as it comes."""
    from understudy.cli import local_function
    from understudy.targets.debugging import layer, session

    session.check(port)
    found = local_function.of(function)
    debugger = layer.install(local_function.layout_here().cache)
    click.echo(
        f"debugging {found.name}: not the identical image (debugpy lies over it), timeouts suspended\n"
        f"attach to {session.HOST}:{port}, with your code's folder mapped to {found.spec.working_dir or '/'}",
        err=True,
    )
    place = session.Place(debugger=debugger, state_dir=local_function.layout_here().sandboxes)
    return session.invoke(found, event, port, place, lambda line: click.echo(line, err=True, nl=False))


def _event(payload: str | None, path: Path | None, http_path: str | None) -> bytes:
    """The event that the options describe, known to be JSON before anything is sent."""
    if sum(option is not None for option in (payload, path, http_path)) > 1:
        raise click.UsageError("--payload, --event and --path are three ways to say one thing: use one")
    if http_path is not None:
        if not http_path.startswith("/"):
            raise click.BadParameter(f"{http_path!r} does not start with /", param_hint="--path")
        return invocation.http_event(http_path)
    if path is not None:
        return _json(path.read_bytes(), "--event", str(path))
    return _json((payload if payload is not None else "{}").encode(), "--payload", "the text")


def _json(data: bytes, option: str, what: str) -> bytes:
    try:
        json.loads(data)
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise click.BadParameter(f"{what} is no JSON: {exc.msg} ({place})", param_hint=option) from exc
    except UnicodeDecodeError as exc:
        raise click.BadParameter(
            f"{what} is no JSON: byte {exc.start} is no UTF-8", param_hint=option
        ) from exc
    return data

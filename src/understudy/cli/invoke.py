"""``understudy invoke``: a function, once."""

import json
import sys
from pathlib import Path

import click

from understudy.cli import console, target_option
from understudy.reconcile import invocation

_FUNCTION_FAILED = 1


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
@target_option.target_option
@console.output_option
def command(
    function: str | None,
    payload: str | None,
    event_path: Path | None,
    http_path: str | None,
    target_name: str,
    output: str,
) -> None:
    """Invoke FUNCTION (the project's first one when it is not named); log on stderr, answer on stdout."""
    event = _event(payload, event_path, http_path)
    found, deployment = target_option.deployment_of(target_name)
    answer = deployment.invoke(function or deployment.first_function(found.first_image()), event)
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
        click.echo(answer.log_tail.rstrip(), err=True)
        click.echo(answer.payload)
    sys.exit(_FUNCTION_FAILED if answer.function_error else 0)


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

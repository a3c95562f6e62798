"""``understudy invoke``: a function, once."""

import sys
from pathlib import Path

import click

from understudy.cli import console, target_option
from understudy.errors import UnderstudyError
from understudy.reconcile import invocation

_FUNCTION_FAILED = 1


@click.command("invoke")
@click.argument("function", required=False)
@click.option("--payload", default="{}", show_default=True, help="The event, as JSON.")
@click.option("--event", "event_path", type=click.Path(path_type=Path), help="File that holds the event.")
@click.option("--path", "http_path", help="Send an HTTP API event (payload 2.0): GET this path.")
@target_option.target_option
@console.output_option
def command(
    function: str | None,
    payload: str,
    event_path: Path | None,
    http_path: str | None,
    target_name: str,
    output: str,
) -> None:
    """Invoke FUNCTION (the project's first one when it is not named); log on stderr, answer on stdout."""
    found, deployment = target_option.deployment_of(target_name)
    name = function or deployment.first_function(next(iter(found.project.images)))
    event = _event(payload, event_path, http_path)
    answer = invocation.invoke(deployment.aws, name, event)
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


def _event(payload: str, path: Path | None, http_path: str | None) -> bytes:
    if http_path is not None:
        return invocation.http_event(http_path)
    if path is None:
        return payload.encode()
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UnderstudyError(
            "event-unreadable", f"event {path} cannot be read: {exc.strerror}", hint="name a JSON file"
        ) from exc

"""``understudy logs``: a function's log lines, as CloudWatch Logs keeps them."""

import dataclasses
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import click

from understudy.cli import console, target_option
from understudy.errors import EnvironmentProblemError
from understudy.reconcile.function_logs import LogLine
from understudy.targets.deployment import Deployment

_POLL_S = 0.25
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]+)?)([smhd])")


@click.command("logs")
@click.argument("function", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on printing lines as they come.")
@click.option(
    "--since", metavar="TIME", default="10m", show_default=True, help="How far back, such as 30s, 10m or 2h."
)
@click.option("--filter", "pattern", metavar="PATTERN", default="", help="CloudWatch Logs filter pattern.")
@target_option.target_option
@console.output_option
def command(
    function: str | None, follow: bool, since: str, pattern: str, target_name: str, output: str
) -> None:
    """Print the log lines of FUNCTION (the project's first one when it is not named)."""
    start_ms = int((time.time() - _seconds(since)) * 1000)
    found, deployment = target_option.deployment_of(target_name)
    name = function or deployment.first_function(found.first_image())
    deployment.check_function(name)
    if follow:
        for line in _following(lambda: target_option.deployment_of(target_name)[1], name, start_ms, pattern):
            click.echo(json.dumps(dataclasses.asdict(line)) if output == "json" else _text(line))
    lines = list(deployment.log_lines(name, start_ms, pattern))
    if output == "json":
        console.print_json(lines)
        return
    for line in lines:
        click.echo(_text(line))
    if not lines:
        click.echo(f"no log lines of {name} in the last {since}; look further back: --since 2h", err=True)


def _following(reach: Callable[[], Deployment], name: str, start_ms: int, pattern: str) -> Iterator[LogLine]:
    """Yields the lines of a function as they come, for ever; a stack that went down may come back."""
    seen: set[str] = set()
    deployment = reach()
    lost = False
    while True:
        try:
            found = list(deployment.log_lines(name, start_ms, pattern))
        except EnvironmentProblemError as exc:
            if not lost:
                click.echo(f"{exc.message}; waiting for it to come back", err=True)
            lost, found, deployment = True, [], reach()
        else:
            lost = False
        for line in found:
            if line.event_id not in seen:
                seen.add(line.event_id)
                start_ms = max(start_ms, line.at_ms)
                yield line
        time.sleep(_POLL_S)


def _text(line: LogLine) -> str:
    stamp = datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    return f"{stamp} {line.message.rstrip()}"


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no duration such as 30s, 10m or 2h", param_hint="--since")
    return float(match[1]) * _UNITS[match[2]]

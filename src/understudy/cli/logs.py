"""``understudy logs``: a function's log lines, as CloudWatch Logs keeps them."""

import time
from datetime import UTC, datetime

import click

from understudy.cli import console, target_option
from understudy.reconcile.function_logs import LogLine
from understudy.targets.deployment import Deployment

_POLL_S = 0.25


@click.command("logs")
@click.argument("function", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on printing lines as they come.")
@click.option("--since", default="10m", show_default=True, help="How far back, such as 30s, 10m or 2h.")
@click.option("--filter", "pattern", default="", help="CloudWatch Logs filter pattern.")
@target_option.target_option
@console.output_option
def command(
    function: str | None, follow: bool, since: str, pattern: str, target_name: str, output: str
) -> None:
    """Print the log lines of FUNCTION (the project's first one when it is not named)."""
    found, deployment = target_option.deployment_of(target_name)
    name = function or deployment.first_function(next(iter(found.project.images)))
    start_ms = int((time.time() - _seconds(since)) * 1000)
    if output == "json" and not follow:
        console.print_json(list(deployment.log_lines(name, start_ms, pattern)))
        return
    _print(deployment, name, start_ms, pattern, follow=follow)


def _print(deployment: Deployment, name: str, start_ms: int, pattern: str, *, follow: bool) -> None:
    seen: set[str] = set()
    while True:
        for line in deployment.log_lines(name, start_ms, pattern):
            if line.event_id not in seen:
                click.echo(_text(line))
                seen.add(line.event_id)
                start_ms = max(start_ms, line.at_ms)
        if not follow:
            return
        time.sleep(_POLL_S)


def _text(line: LogLine) -> str:
    stamp = datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    return f"{stamp} {line.message.rstrip()}"


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    try:
        return float(text[:-1]) * units[text[-1]]
    except (ValueError, KeyError, IndexError) as exc:
        raise click.BadParameter(
            f"{text!r} is no duration such as 30s, 10m or 2h", param_hint="--since"
        ) from exc

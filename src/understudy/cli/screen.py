"""The one screen about a running stack, for people and for programs."""

from urllib.parse import urlsplit

import click

from understudy.cli import console, program
from understudy.targets.record import StackRecord


def show(running: StackRecord, output: str) -> None:
    """Prints the one screen that a user needs."""
    if output == "json":
        console.print_json(running)
        return
    base = f" on the stand-in for {running.stand_in_for}" if running.stand_in_for else ""
    timings = ", ".join(
        f"{name.replace('_', ' ')} {seconds:.1f} s" for name, seconds in running.timings_s.items()
    )
    rows = [
        ("API", running.api_url, f"Lambda {running.function}"),
        ("", running.api_host_url if running.api_host_url != running.api_url else "", ""),
        ("dev server", running.dev_url, "uvicorn, reload on"),
        (
            "local AWS",
            running.endpoint,
            f"AWS_ENDPOINT_URL; awslocal, docker push {urlsplit(running.endpoint).netloc}/...",
        ),
        ("image", running.image_digest, base.strip()),
        *(
            ("function", one.url or one.digest, f"Lambda {one.function}")
            for one in running.functions
            if one.function != running.function
        ),
        ("timings", timings, ""),
        (
            "next",
            f"curl {running.api_url}{running.path}",
            program.named("./understudy logs -f, ./understudy down"),
        ),
    ]
    click.echo()
    for name, value, note in rows:
        if value:
            click.echo(f"  {name:<11}{value}{'   (' + note + ')' if note else ''}")

"""``understudy env``: the environment variables that a function sees."""

import re

import click

from understudy.cli import console, local_function

_SECRET = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|KEY|DSN", re.IGNORECASE)
_HIDDEN = "(hidden)"


@click.command("env")
@click.argument("function", required=False)
@click.option("--reveal", is_flag=True, help="Print secrets too.")
@console.output_option
def command(function: str | None, reveal: bool, output: str) -> None:
    """Print what FUNCTION (the project's first one when it is not named) finds in its environment.

    Needs the local stack. Values whose names sound like a secret's are hidden, whatever sets them.
    """
    found = local_function.of(function).variables()
    rows = [
        (one.name, one.value if reveal or not _SECRET.search(one.name) else _HIDDEN, one.source)
        for one in found
    ]
    if output == "json":
        console.print_json([{"name": name, "value": value, "source": source} for name, value, source in rows])
    else:
        console.print_table(("NAME", "VALUE", "SET BY"), rows)

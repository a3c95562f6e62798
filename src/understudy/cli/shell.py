"""``understudy shell``: a shell, or one command, in a function's sandbox."""

import sys

import click

from understudy.cli import local_function


@click.command("shell", context_settings={"ignore_unknown_options": True})
@click.option("--function", metavar="NAME", help="Function to look into.  [default: the first one]")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(function: str | None, words: tuple[str, ...]) -> None:
    """Run a shell, or WORDS (behind --), in a sandbox like the function's: root, user, limits, variables.

    Needs the local stack. The sandbox is one of its own: what requests run in is left alone.
    """
    from understudy.targets.debugging import shell

    found = local_function.of(function)
    argv = words or (shell.shell_of(found.spec),)
    sys.exit(shell.run(found.spec, argv, local_function.layout_here().sandboxes))

"""The reference of all commands as Markdown, made from the commands themselves: ``docs/cli.md``.

``python -m understudy.cli.reference > docs/cli.md`` writes it anew; a unit test fails while it is stale.
"""

from collections.abc import Iterator

import click

from understudy.cli import root

NAME = "understudy"

_HEAD = """\
# Commands

Made from the commands themselves; do not edit. Anew: `python -m understudy.cli.reference > docs/cli.md`.

Results go to stdout, progress and errors to stderr. Every command answers `--help`. A command works in the
project that the current folder lies in: the nearest folder upwards with an `understudy.yaml`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a check failed, or the work was refused: what, where and the next command are on stderr |
| 2 | usage |
| 3 | this machine, its network or its credentials lack something; the hint names the command |
| 70 | a bug of understudy, with its traceback |
| 130 | interrupted |
"""


def text() -> str:
    """Returns the whole reference."""
    return "\n".join([_HEAD, *_sections(root.group, click.Context(root.group, info_name=f"./{NAME}"))])


def _sections(group: click.Group, parent: click.Context) -> Iterator[str]:
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is None:
            raise RuntimeError(f"{name} is listed and does not exist")
        context = click.Context(command, info_name=name, parent=parent)
        if isinstance(command, click.Group):
            yield from _sections(command, context)
        else:
            yield _section(command, context)


def _section(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path.removeprefix(f'./{NAME} ')}", "", f"    {usage}", ""]
    lines += [" ".join(paragraph.split()) + "\n" for paragraph in (command.help or "").split("\n\n")]
    records = [record for one in _options(command) if (record := one.get_help_record(context)) is not None]
    if records:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in records]
        lines.append("")
    return "\n".join(lines)


def _options(command: click.Command) -> Iterator[click.Option]:
    for one in command.params:
        if isinstance(one, click.Option):
            yield one


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


if __name__ == "__main__":
    click.echo(text(), nl=False)

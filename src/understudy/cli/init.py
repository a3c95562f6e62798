"""``understudy init``: writes what a repository needs to run here, from what its code and Dockerfile say."""

import dataclasses
from pathlib import Path
from typing import TypedDict, Unpack

import click

from understudy.cli import console, program
from understudy.targets.init.model import Note, Options, ServiceInput
from understudy.targets.init.writing import FileOutcome


class Wishes(TypedDict):
    """What the user says beyond the repository, as on the command line."""

    template: str
    account: str
    tables: tuple[str, ...]


_VERBS = {"written": "write", "same": "same", "kept": "keep"}


@click.command("init")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--from",
    "template",
    metavar="FILE",
    default="",
    help="Read a SAM template, or a serverless.yml, in the code's place.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--account", metavar="DIGITS", default="", help="Account of target preprod.")
@click.option(
    "--table",
    "tables",
    metavar="NAME=KEY[,SORT_KEY]",
    multiple=True,
    help="Primary key of a table that the code does not state; repeatable.",
)
@console.output_option
def command(path: Path | None, dry_run: bool, output: str, **wishes: Unpack[Wishes]) -> None:
    """Write understudy.yaml, deploy/ and, where none is, a Dockerfile; overwrite nothing.

    PATH is the folder of the service (this one when it is not given), or its Dockerfile where several are.
    Handler, environment, tables, buckets and permissions come from the Dockerfile and from the Python code;
    what neither says is listed.
    """
    from understudy.targets import init

    root, dockerfile = _places(path)
    options = Options(
        dockerfile=dockerfile,
        account=_account(wishes["account"]),
        tables=dict(map(_table, wishes["tables"])),
        template=wishes["template"],
    )
    service, outcomes = init.initialise(root, options, dry_run=dry_run)
    if output == "json":
        console.print_json(
            {
                "project": service.name,
                "files": [dataclasses.asdict(one) for one in outcomes],
                "notes": service.notes,
            }
        )
        return
    _show(service, outcomes, dry_run=dry_run)


def _account(text: str) -> str:
    if text and not (len(text) == 12 and text.isdecimal()):
        raise click.BadParameter(f"{text!r} is not the 12 digits of an account", param_hint="--account")
    return text


def _places(path: Path | None) -> tuple[Path, str]:
    """The folder to write to, and the Dockerfile in it that was named."""
    here = Path.cwd()
    if path is None or path.is_dir():
        return path or here, ""
    try:
        return here, path.resolve().relative_to(here.resolve()).as_posix()
    except ValueError as exc:
        raise click.BadParameter(
            f"{path} lies outside this folder; run init where its service is", param_hint="PATH"
        ) from exc


def _table(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, keys = text.partition("=")
    parts = tuple(keys.split(","))
    if not name or not all(parts) or len(parts) > 2:
        raise click.BadParameter(f"{text!r} is not NAME=KEY or NAME=KEY,SORT_KEY", param_hint="--table")
    return name, parts


def _show(service: ServiceInput, outcomes: tuple[FileOutcome, ...], *, dry_run: bool) -> None:
    for one in outcomes:
        click.echo(f"{_VERBS[one.outcome]:<6} {one.path}")
    for note in service.notes:
        click.echo(_line(note), err=True)
    kept = [one for one in outcomes if one.outcome == "kept"]
    if kept:
        click.echo(
            "what stands behind keep was there and stays; see what init has for it: --output json", err=True
        )
    if dry_run:
        click.echo("dry run: nothing was written", err=True)
    else:
        click.echo(f"next: {program.name()} up", err=True)


def _line(note: Note) -> str:
    return f"note   {note.subject}: {note.text}"

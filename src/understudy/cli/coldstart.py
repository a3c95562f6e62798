"""``understudy coldstart``: where a cold start goes, and what would make it shorter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from understudy.cli import console, executor_option, target_option
from understudy.cli.progress import EventPrinter
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.reconcile import invocation
from understudy.targets import record, workspace

if TYPE_CHECKING:
    from understudy.coldstart.model import Report
    from understudy.targets.coldstarts import Wanted
    from understudy.targets.workspace import Workspace

_FOLDER = "coldstart"
_MEMORY_MB = (128, 10_240)
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


class _Measuring(click.Group):
    """A group that measures where no other of its commands is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the command's name in where it is left out."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["measure", *args]
        return super().parse_args(ctx, args)


@click.group("coldstart", cls=_Measuring)
def command() -> None:
    """Measure cold starts of an image, and say where the time goes; `coldstart compare A B`."""


def _memory(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[int, ...]:  # noqa: ARG001 - click's
    """Memory sizes, as Lambda takes them (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
    sizes = text.split(",") if text else []
    for size in sizes:
        if not size.isdigit() or not _MEMORY_MB[0] <= int(size) <= _MEMORY_MB[1]:
            raise click.BadParameter(f"{size!r} is no size from {_MEMORY_MB[0]} to {_MEMORY_MB[1]} MB")
    return tuple(map(int, sizes))


@command.command("measure")
@click.argument("image", required=False)
@executor_option.executor_option
@click.option("--runs", "-n", type=click.IntRange(1, 200), default=10, show_default=True, help="Cold starts.")
@click.option("--function", metavar="NAME", default="", help="As this Function of the manifests runs it.")
@click.option("--memory", "memory_mb", metavar="MB,...", callback=_memory, help="Sweep these memory sizes.")
@click.option(
    "--init-cpu",
    type=click.Choice(["lambda", "throttled"]),
    default="lambda",
    show_default=True,
    help="Two vCPUs during init, as seen on AWS, or the share that the memory gives.",
)
@click.option(
    "--cache",
    type=click.Choice(["warm", "dropped", "both"]),
    default="warm",
    show_default=True,
    help="Whether the image's files are in the page cache.",
)
@click.option(
    "--path", "http_path", metavar="PATH", default="/health", show_default=True, help="GET this path."
)
@click.option(
    "--event",
    "event_path",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="Send this event, as JSON, instead.",
)
@click.option(
    "--what-if",
    "what_ifs",
    metavar="CHANGE",
    multiple=True,
    help="Try a change on a scratch copy: bytecode, lazy-import:MODULE, drop:DISTRIBUTION. May be repeated.",
)
@click.option("--save", metavar="NAME", help="Keep the report under this name, for `compare`.")
@click.option("--html", "html_path", metavar="FILE", type=_FILE, help="Write the report as one page.")
@click.option(
    "--speedscope", "speedscope_path", metavar="FILE", type=_FILE, help="Write it for speedscope.app."
)
@click.option("--har", "har_path", metavar="FILE", type=_FILE, help="Write it for waterfall viewers.")
@click.option("--against", metavar="NAME", help="Compare with this saved report, on the page too.")
@target_option.target_option
@console.output_option
def measure(**options: Any) -> None:  # noqa: ANN401 - click's, each checked by its type above
    """Measure IMAGE (the project's first one when it is not named)."""
    # Here, because `compare` measures nothing.
    from understudy.coldstart import comparison, history, text
    from understudy.targets import coldstarts

    found = workspace.find(Path.cwd())
    before = history.load(_folder(found), options["against"]) if options["against"] else None
    wanted = _wanted(found, options)
    store = Store(found.layout.store).open()
    with EventPrinter() as printer:
        target = target_option.target_of(found, options["target_name"])
        report = coldstarts.run(found, target, store, wanted, printer)
    if options["save"]:
        history.save(_folder(found), options["save"], report)
    _write_files(options, report, before)
    _print(report, options["output"], lambda: text.lines(report))
    if before and options["output"] == "text":
        _print(None, "text", lambda: text.compared(comparison.compare(before, report)))


def _wanted(found: "Workspace", options: dict[str, Any]) -> "Wanted":
    from understudy.coldstart import changes
    from understudy.targets.coldstarts import Wanted

    image = options["image"] or found.first_image()
    found.image(image)
    name, payload = _event(options["event_path"], options["http_path"])
    running = record.read(found.layout)
    return Wanted(
        image=image,
        function=options["function"],
        runs=options["runs"],
        memory_mb=options["memory_mb"],
        caches=("warm", "dropped") if options["cache"] == "both" else (options["cache"],),
        throttled_init=options["init_cpu"] == "throttled",
        event=payload,
        event_name=name,
        endpoint=running.endpoint if running else "",
        what_ifs=tuple(map(changes.parse, options["what_ifs"])),
    )


def _write_files(options: dict[str, Any], report: "Report", before: "Report | None") -> None:
    from understudy.coldstart import exports, page

    if options["html_path"]:
        text = page.render(report, before=before, before_name=options["against"] or "")
        _write(options["html_path"], text)
    profile = report.profile
    if profile is None:
        return
    if options["speedscope_path"]:
        _write(options["speedscope_path"], json.dumps(exports.speedscope(profile, name=report.image)))
    if options["har_path"]:
        _write(options["har_path"], json.dumps(exports.har(profile, name=report.image)))


@command.command("compare")
@click.argument("before")
@click.argument("after")
@console.output_option
def compare(before: str, after: str, output: str) -> None:
    """Compare two saved reports: what is faster, and whether that is more than chance."""
    from understudy.coldstart import comparison, history, text

    folder = _folder(workspace.find(Path.cwd()))
    found = comparison.compare(history.load(folder, before), history.load(folder, after))
    _print(found, output, lambda: text.compared(found))


def _write(path: Path, content: str) -> None:
    """Writes a file that the user named.

    Raises:
        UnderstudyError: it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as exc:
        raise UnderstudyError(
            "report-unwritable", f"{path} cannot be written: {exc.strerror}", hint="name another file"
        ) from exc
    click.echo(f"wrote {path}", err=True)


def _print(value: object, output: str, lines: Callable[[], Any]) -> None:
    if output == "json":
        console.print_json(value)
        return
    for line in lines():
        click.echo(line)


def _folder(found: "Workspace") -> Path:
    return found.layout.state / _FOLDER


def _event(path: Path | None, http_path: str) -> tuple[str, bytes]:
    if path is None:
        return f"GET {http_path}", invocation.http_event(http_path)
    data = path.read_bytes()
    try:
        json.loads(data)
    except ValueError as exc:
        raise click.BadParameter(f"{path} is no JSON: {exc}", param_hint="--event") from exc
    return path.name, data

"""``understudy coldstart``: where a cold start goes, and what would make it shorter."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from understudy.cli import confirm, console, executor_option, interrupts, target_option
from understudy.cli.progress import EventPrinter
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.reconcile import invocation
from understudy.targets import record, workspace

if TYPE_CHECKING:
    from understudy.coldstart.model import Report
    from understudy.targets.starts.gate import ColdStartGate
    from understudy.targets.starts.measuring import Wanted
    from understudy.targets.workspace import Workspace

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
@click.option("--accept", "is_accepted", is_flag=True, help="Hold later digests against this one.")
@click.option(
    "--deployed/--sandbox",
    "is_deployed",
    default=None,
    help="Measure on the target too, with versions that are deleted again; default where it is not local.",
)
@target_option.target_option
@confirm.yes_option
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Print for people, for programs, for a job summary.",
)
def measure(**options: Any) -> None:  # noqa: ANN401 - click's, each checked by its type above
    """Measure IMAGE (the project's first one when it is not named); exit 1 when it breaks its budget.

    The budget is images.IMAGE.coldStart of understudy.yaml: a limit, and a regression against the digest that
    was accepted last, by a deploy or by --accept, or against --against. It holds the function's own memory,
    not a sweep.
    """
    # Here, because `compare` measures nothing.
    from understudy.coldstart import comparison, history, ledger, text
    from understudy.targets.starts import gate as gates

    found = workspace.find(Path.cwd())
    before = history.load(found.layout.cold_starts, options["against"]) if options["against"] else None
    wanted = _wanted(found, options)
    is_plain = not wanted.memory_mb and wanted.caches[0] == "warm" and not wanted.throttled_init
    if options["is_accepted"] and not is_plain:
        raise click.UsageError(
            "--accept is about the function as it is: leave --memory, --cache, --init-cpu out"
        )
    with interrupts.stopping(), EventPrinter() as printer:
        gate = gates.ColdStartGate(
            workspace=found,
            target=target_option.target_of(found, options["target_name"]),
            store=Store(found.layout.store).open(),
            tell=printer,
        )
        report = _measured(gate, wanted, options, printer)
        if options["is_accepted"]:
            ledger.note(gate.workspace.layout.cold_starts, report)
            ledger.accept(gate.workspace.layout.cold_starts, report.image, report.digest)
        if is_plain:
            report = gate.judge(report, wanted, before)
    if options["save"]:
        history.save(found.layout.cold_starts, options["save"], report)
    _write_files(options, report, before)
    _print_report(report, options["output"])
    if before and options["output"] == "text":
        _print(None, "text", lambda: text.compared(comparison.compare(before, report)))
    gates.insist(report)


def _measured(
    gate: "ColdStartGate", wanted: "Wanted", options: dict[str, Any], printer: EventPrinter
) -> "Report":
    """The report of the sandbox, and of the target where that was asked for; the target is asked first."""
    from understudy.targets.starts import deployed, measuring

    found, target, store = gate.workspace, gate.target, gate.store
    is_deployed = options["is_deployed"]
    if is_deployed is None:
        is_deployed = found.project.targets[target.name].type != "local"
    if not is_deployed:
        return measuring.run(found, target, store, wanted, printer)
    function = deployed.find(found, target, store, wanted)
    with printer.paused():
        what = f"publish {wanted.runs} versions of {function.name}, invoke and delete them"
        confirm.ask(target, what, yes=options["yes"])
    there = deployed.measure(function, wanted, printer)
    wanted = dataclasses.replace(
        wanted,
        digest=function.digest,
        function=function.name,
        memory_mb=wanted.memory_mb or (function.memory_mb,),
    )
    report = measuring.run(found, target, store, wanted, printer)
    notes = (*report.notes, function.note) if function.note else report.notes
    return dataclasses.replace(report, deployed=there, notes=notes)


def _wanted(found: "Workspace", options: dict[str, Any]) -> "Wanted":
    from understudy.coldstart import changes
    from understudy.targets.starts.measuring import Wanted

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
        is_http=options["event_path"] is None,
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


@command.command("history")
@click.argument("image", required=False)
@console.output_option
def history_command(image: str | None, output: str) -> None:
    """List what each digest of IMAGE was measured at, the newest first; * is the accepted one."""
    from understudy.coldstart import ledger

    found = workspace.find(Path.cwd())
    name = image or found.first_image()
    found.image(name)
    entries = tuple(ledger.entries(found.layout.cold_starts, name))
    if output == "json":
        console.print_json(entries)
        return
    console.print_table(
        ("", "DIGEST", "MEASURED", "RUNS", "INIT MS", "COLD START MS", "BROKE"),
        [
            (
                "*" if one.is_accepted else "",
                one.digest[:19],
                one.measured_at,
                str(one.runs),
                f"{one.init_ms:.0f}",
                f"{one.total_ms:.0f}",
                ", ".join(one.broken),
            )
            for one in entries
        ],
    )


@command.command("compare")
@click.argument("before")
@click.argument("after")
@console.output_option
def compare(before: str, after: str, output: str) -> None:
    """Compare two saved reports: what is faster, and whether that is more than chance."""
    from understudy.coldstart import comparison, history, text

    folder = workspace.find(Path.cwd()).layout.cold_starts
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


def _print_report(report: "Report", output: str) -> None:
    from understudy.coldstart import beside, markdown, text

    if output == "markdown":
        _print(None, output, lambda: markdown.lines(report))
        return
    _print(report, output, lambda: text.lines(report))
    if report.deployed is not None and output == "text":
        deployed = report.deployed
        _print(None, output, lambda: beside.lines(report, deployed))


def _print(value: object, output: str, lines: Callable[[], Any]) -> None:
    if output == "json":
        console.print_json(value)
        return
    for line in lines():
        click.echo(line)


def _event(path: Path | None, http_path: str) -> tuple[str, bytes]:
    if path is None:
        return f"GET {http_path}", invocation.http_event(http_path)
    data = path.read_bytes()
    try:
        json.loads(data)
    except ValueError as exc:
        raise click.BadParameter(f"{path} is no JSON: {exc}", param_hint="--event") from exc
    return path.name, data

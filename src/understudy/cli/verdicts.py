"""What ``understudy verify`` finds and shows: reports on the images that the command line names."""

import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from understudy.cli import target_option
from understudy.cli.progress import EventPrinter
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets import layout, record
from understudy.targets.events import Advanced, Done, Started
from understudy.targets.launches import FunctionLaunch
from understudy.targets.verification import Gate
from understudy.verify import run
from understudy.verify.render import document, markdown, sarif, text
from understudy.verify.render.text import Line, Style
from understudy.verify.render.words import Verified
from understudy.verify.report import Report
from understudy.verify.run import Places, Request
from understudy.verify.subject import LaunchOverrides

if TYPE_CHECKING:
    from understudy.targets.workspace import Workspace
    from understudy.verify.boot import Event

_COLORS: dict[Style, dict[str, object]] = {
    "plain": {},
    "bold": {"bold": True},
    "dim": {"dim": True},
    "fails": {"fg": "red", "bold": True},
    "may-fail": {"fg": "yellow", "bold": True},
    "slow": {"fg": "cyan"},
    "info": {"dim": True},
    "good": {"fg": "green", "bold": True},
}
_DOCUMENTS: dict[str, Callable[[list[Verified]], str]] = {
    "json": document.render,
    "sarif": sarif.render,
    "markdown": markdown.render,
}


class Options(TypedDict):
    """What the command line says."""

    image: str | None
    static: bool
    allowed: dict[str, str]
    handler: str | None
    function: str | None
    event_paths: tuple[Path, ...]
    network: str
    target_name: str
    output: str


def of_project(
    found: "Workspace", images: Mapping[str, str], options: Options, read: Callable[[], None]
) -> list[Verified]:
    """Returns what images of the project come to, each as its functions run it.

    Args:
        found: the project.
        images: digests by name.
        options: what the command line says.
        read: returns when the first of them is read.

    Raises:
        UnderstudyError: a manifest is wrong, or an image cannot be read.
        click.BadParameter: there is no such function.
    """
    return list(_of_project(found, images, options, read))


def _of_project(
    found: "Workspace", images: Mapping[str, str], options: Options, read: Callable[[], None]
) -> Iterator[Verified]:
    store = Store(found.layout.store)
    with EventPrinter() as printer:
        gate = Gate(
            workspace=found,
            target=target_option.target_of(found, options["target_name"]),
            store=store,
            report=printer,
            allowed=options["allowed"],
        )
        chosen = _chosen(gate.launches(images), options["function"])
        read()
        for launch in chosen:
            request = _request(options, images[launch.image], launch.overrides, name=launch.image)
            report = _run(request, _places(found, store), printer, f"verify {launch.image}")
            whole = not (options["static"] or options["event_paths"] or options["handler"])
            proven = report.passed and report.conclusive and whole and options["network"] == "none"
            proof = gate.prove(report).digest if proven else ""
            yield Verified(report=report, locate=gate.locate(launch), proof=proof)


def of_reference(found: "Workspace | None", image: str, options: Options) -> Verified:
    """Returns what an image comes to that is not of this project, as no function or one of its runs it.

    Raises:
        UnderstudyError: there is no such image, or it cannot be read.
        click.BadParameter: there is no such function.
    """
    overrides = LaunchOverrides()
    with ExitStack() as stack:
        if found is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="understudy-verify-")))
            places = Places(store=Store(folder / "store").open(), cache=folder / "cache", state=folder)
        else:
            places = _places(found, Store(found.layout.store).open())
        printer = stack.enter_context(EventPrinter())
        if found is not None and options["function"] is not None:
            overrides = _overrides(found, places.store, options, printer)
        report = _run(_request(options, image, overrides), places, printer, f"verify {image}")
    return Verified(report=report)


def show(verified: Sequence[Verified], output: str) -> None:
    """Prints the reports on stdout, for people or for programs."""
    if output != "text":
        click.echo(_DOCUMENTS[output](list(verified)))
        return
    for number, one in enumerate(verified):
        click.echo("", nl=bool(number))
        _show(one)


def _overrides(found: "Workspace", store: Store, options: Options, printer: EventPrinter) -> LaunchOverrides:
    target = target_option.target_of(found, options["target_name"])
    gate = Gate(workspace=found, target=target, store=store, report=printer)
    any_digest = dict.fromkeys(found.project.images, f"sha256:{'0' * 64}")
    (launch,) = _chosen(gate.launches(any_digest), options["function"])[:1]
    return launch.overrides


def _chosen(launches: tuple[FunctionLaunch, ...], function: str | None) -> tuple[FunctionLaunch, ...]:
    """The launches of one function, or all."""
    if function is None:
        return launches
    chosen = tuple(one for one in launches if one.function == function)
    if not chosen:
        names = ", ".join(sorted({one.function for one in launches if one.function})) or "none"
        raise click.BadParameter(
            f"the manifests have no Function {function} that runs an image of this project, but: {names}",
            param_hint="--function",
        )
    return chosen


def _places(found: "Workspace", store: Store) -> Places:
    state = found.layout.sandboxes
    state.mkdir(parents=True, exist_ok=True)
    return Places(store=store, cache=found.layout.facts, state=state)


def _request(options: Options, reference: str, overrides: LaunchOverrides, *, name: str = "") -> Request:
    if options["handler"] is not None:
        overrides = dataclasses.replace(overrides, command=(options["handler"],))
    return Request(
        reference=reference,
        name=name,
        launch=overrides,
        static=options["static"],
        allowed=options["allowed"],
        events=tuple(_event(path) for path in options["event_paths"]),
        network="host" if options["network"] == "host" else "isolated",
        endpoint=_endpoint(),
    )


def _endpoint() -> str:
    """The running stack's endpoint; empty where none runs."""
    try:
        running = record.read(layout.find(Path.cwd()))
    except UnderstudyError:
        return ""
    return running.endpoint if running else ""


def _event(path: Path) -> "Event":
    from understudy.verify.boot import Event

    data = path.read_bytes()
    try:
        json.loads(data)
    except ValueError as exc:
        raise click.BadParameter(f"{path} is no JSON: {exc}", param_hint="--event") from exc
    return Event(name=path.name, kind="own", payload=data)


def _run(request: Request, places: Places, printer: EventPrinter, step: str) -> Report:
    printer(Started(step=step))
    report = run.verify(request, places, lambda doing: printer(Advanced(step=step, text=doing)))
    printer(Done(step=step, seconds=report.seconds.total))
    return report


def _show(one: Verified) -> None:
    for line in text.lines(one.report, one.locate):
        click.echo(_styled(line))
    if one.proof:
        click.echo(click.style(f"  proof   {one.proof}, attached to the image", dim=True))


def _styled(line: Line) -> str:
    return "".join(click.style(span.text, **_COLORS[span.style]) for span in line).rstrip()  # type: ignore[arg-type] # click's own keywords

"""``understudy verify``: proof that an image starts on Lambda, or the exact cause and the fix."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from understudy.cli import allow_option, target_option
from understudy.cli.progress import EventPrinter
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets import built, layout, record, workspace
from understudy.targets.events import Advanced, Done, Started
from understudy.targets.launches import FunctionLaunch
from understudy.targets.verification import Gate
from understudy.verify.render import document, markdown, sarif, text
from understudy.verify.render.text import Line, Style
from understudy.verify.render.words import Verified
from understudy.verify.subject import LaunchOverrides

if TYPE_CHECKING:
    from understudy.targets.workspace import Workspace
    from understudy.verify.boot import Event
    from understudy.verify.report import Report
    from understudy.verify.run import Places, Request

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
_FAILED = 1


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


@click.command("verify")
@click.argument("image", required=False)
@click.option("--static", is_flag=True, help="Look at the files only; do not boot the image.")
@allow_option.allow_option
@click.option("--handler", metavar="HANDLER", help="CMD in the place of the image's, such as app.handler.")
@click.option("--function", metavar="NAME", help="Verify as this Function of the manifests runs it.")
@click.option(
    "--event",
    "event_paths",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="Send this event, as JSON, instead of synthetic ones. May be repeated.",
)
@click.option(
    "--network",
    type=click.Choice(["none", "host"]),
    default="none",
    show_default=True,
    help="What the image may reach: only the local endpoint, or this machine's network.",
)
@target_option.target_option
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", *_DOCUMENTS]),
    default="text",
    show_default=True,
    help="Print for people, for programs, for code scanning, for a job summary.",
)
def command(**options: Unpack[Options]) -> None:
    """Say whether IMAGE starts on Lambda, or the exact cause and the fix; exit 1 when it does not.

    IMAGE is one of this project's images, an OCI layout, a docker save archive, docker://NAME, a registry
    reference or a digest in the store. Without it all built images of the project are verified, as the
    functions of the target's manifests run them.
    """
    with ExitStack() as stack:
        verified = list(_verified(options, stack))
    output = options["output"]
    if output == "text":
        for number, one in enumerate(verified):
            click.echo("", nl=bool(number))
            _show(one)
    else:
        click.echo(_DOCUMENTS[output](verified))
    sys.exit(0 if all(one.report.passed for one in verified) else _FAILED)


def _verified(options: Options, stack: ExitStack) -> Iterator[Verified]:
    """Verifies what the command line names."""
    found = _workspace(options)
    image = options["image"]
    if found is not None and (image is None or image.removesuffix(":latest") in found.project.images):
        yield from _of_project(found, options, image.removesuffix(":latest") if image else "")
        return
    # Without a project there is an image: `_workspace` has seen to that.
    yield from _of_reference(found, options, image or "", stack)


def _workspace(options: Options) -> "Workspace | None":
    """The project here; None outside one, where an image can be verified all the same."""
    try:
        layout.find(Path.cwd())
    except UnderstudyError:
        if options["image"] is None or options["function"] is not None:
            raise
        return None
    return workspace.find(Path.cwd())


def _of_project(found: "Workspace", options: Options, image: str) -> Iterator[Verified]:
    store = Store(found.layout.store).open()
    digests = built.digests(found, store)
    with EventPrinter() as printer:
        gate = Gate(
            workspace=found,
            target=target_option.target_of(found, options["target_name"]),
            store=store,
            report=printer,
            allowed=options["allowed"],
        )
        chosen = _chosen(gate.launches({image: digests[image]} if image else digests), options["function"])
        for launch in chosen:
            request = _request(options, digests[launch.image], launch.overrides, name=launch.image)
            report = _run(request, _places(found, store), printer, f"verify {launch.image}")
            whole = not (options["static"] or options["event_paths"] or options["handler"])
            proven = report.passed and report.conclusive and whole and options["network"] == "none"
            proof = gate.prove(report).digest if proven else ""
            yield Verified(report=report, locate=gate.locate(launch), proof=proof)


def _of_reference(
    found: "Workspace | None", options: Options, image: str, stack: ExitStack
) -> Iterator[Verified]:
    """An image that is not of this project, as no function or as one of the project's runs it."""
    from understudy.verify.run import Places

    overrides = LaunchOverrides()
    if found is None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="understudy-verify-")))
        places = Places(store=Store(folder / "store").open(), cache=folder / "cache", state=folder)
    else:
        store = Store(found.layout.store).open()
        places = _places(found, store)
    with EventPrinter() as printer:
        if found is not None and options["function"] is not None:
            overrides = _overrides(found, places.store, options, printer)
        report = _run(_request(options, image, overrides), places, printer, f"verify {image}")
    yield Verified(report=report)


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


def _places(found: "Workspace", store: Store) -> "Places":
    from understudy.verify.run import Places

    state = found.layout.sandboxes
    state.mkdir(parents=True, exist_ok=True)
    return Places(store=store, cache=found.layout.cache / "verify", state=state)


def _request(options: Options, reference: str, overrides: LaunchOverrides, *, name: str = "") -> "Request":
    import dataclasses

    from understudy.verify.run import Request

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


def _run(request: "Request", places: "Places", printer: EventPrinter, step: str) -> "Report":
    from understudy.verify import run

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

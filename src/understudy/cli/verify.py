"""``understudy verify``: proof that an image starts on Lambda, or the exact cause and the fix.

Imports little: the layers of the project's image are read while `verdicts` and the rules are loaded.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from understudy.cli import allow_option, executor_option, target_option
from understudy.errors import UnderstudyError
from understudy.image.store import Store
from understudy.targets import built, layout, workspace
from understudy.verify import ahead

if TYPE_CHECKING:
    from understudy.cli.verdicts import Options
    from understudy.targets.workspace import Workspace

_DOCUMENTS = ("json", "sarif", "markdown")
_FAILED = 1


@click.command("verify")
@click.argument("image", required=False)
@click.option("--static", is_flag=True, help="Look at the files only; do not boot the image.")
@allow_option.allow_option
@executor_option.executor_option
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
def command(**options: "Unpack[Options]") -> None:
    """Say whether IMAGE starts on Lambda, or the exact cause and the fix; exit 1 when it does not.

    IMAGE is one of this project's images, an OCI layout, a docker save archive, docker://NAME, a registry
    reference or a digest in the store. Without it all built images of the project are verified, as the
    functions of the target's manifests run them.
    """
    found = _workspace(options["image"], options["function"])
    images = _images(found, options["image"])
    with _begun(found, images) as read:
        from understudy.cli import verdicts

        if found is not None and images is not None:
            verified = verdicts.of_project(found, images, options, read)
        else:
            # Without a project there is an image: `_workspace` has seen to that.
            verified = [verdicts.of_reference(found, options["image"] or "", options)]
        verdicts.show(verified, options["output"])
    sys.exit(0 if all(one.report.passed for one in verified) else _FAILED)


def _workspace(image: str | None, function: str | None) -> "Workspace | None":
    """The project here; None outside one, where an image can be verified all the same."""
    try:
        layout.find(Path.cwd())
    except UnderstudyError:
        if image is None or function is not None:
            raise
        return None
    return workspace.find(Path.cwd())


def _images(found: "Workspace | None", image: str | None) -> dict[str, str] | None:
    """Digests of the project's images that the command line names, by name; None when it names another."""
    name = (image or "").removesuffix(":latest")
    if found is None or (name and name not in found.project.images):
        return None
    return built.digests(found, Store(found.layout.store).open(), [name] if name else None)


def _begun(
    found: "Workspace | None", images: dict[str, str] | None
) -> AbstractContextManager[Callable[[], None]]:
    """Begins to read the first image; when the turn of a second one comes, nothing is left to load."""
    if found is None or not images:
        return nullcontext(lambda: None)
    name, digest = next(iter(images.items()))
    platform = found.project.images[name].platform
    return ahead.begun(digest, platform, store=Store(found.layout.store), cache_dir=found.layout.facts)

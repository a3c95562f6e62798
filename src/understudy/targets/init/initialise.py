"""The whole of `init`: a repository is read, understood, and given the files that it lacks."""

import dataclasses
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.targets.init import files, sam, scan, serverless, tree, writing
from understudy.targets.init.model import Note, Options, ServiceInput
from understudy.targets.init.tree import Tree
from understudy.targets.init.writing import FileOutcome
from understudy.targets.layout import PROJECT_FILE


def initialise(
    root: Path, options: Options, *, dry_run: bool = False
) -> tuple[ServiceInput, tuple[FileOutcome, ...]]:
    """What was found in `root`, and what became of each file.

    Args:
        root: folder of the repository.
        options: what the user says beyond it.
        dry_run: whether nothing is written.

    Raises:
        UnderstudyError: nothing there can run on Lambda, several things can, or a file cannot be written.
    """
    found = tree.read(root)
    service = _described(root, found, options) if options.template else scan.service(found, options)
    service = dataclasses.replace(service, notes=(*service.notes, *_habits(service, found)))
    return service, writing.write(root, files.of(service, found), dry_run=dry_run)


def _described(root: Path, found: Tree, options: Options) -> ServiceInput:
    """The service that a template of another tool describes."""
    place = root / options.template
    try:
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UnderstudyError(
            "init-template", f"{place} cannot be read: {exc}", hint="name a template: --from template.yaml"
        ) from exc
    if place.name.startswith("serverless"):
        return serverless.service(text, options.template, found, options)
    return sam.service(text, options.template, found, options)


def _habits(service: ServiceInput, found: Tree) -> list[Note]:
    """What the repository's own files should say about ours."""
    notes = []
    if ".understudy" not in found.texts.get(".gitignore", ""):
        notes.append(
            Note(subject=".gitignore", text="add the line .understudy/: it is where local state lies")
        )
    ignored = found.texts.get(".dockerignore")
    contexts = {one.image.context for one in service.functions}
    if ignored is not None and "." in contexts and ".understudy" not in ignored:
        text = "add the line .understudy: docker build would send local state along; understudy leaves it out"
        notes.append(Note(subject=".dockerignore", text=text))
    if not service.account:
        text = f"account {files.PLACEHOLDER_ACCOUNT} is a placeholder that every deploy refuses"
        text = f"{text}; write yours into {PROJECT_FILE}"
        notes.append(Note(subject="targets.preprod", text=text))
    return notes

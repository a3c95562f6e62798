"""Whether the layers are what the documents say, and archives that Lambda unpacks.

Called by `registry`; its rules are that module's. Looks at facts of the one pass over the layers, never at
their bytes.
"""

from collections.abc import Iterator

from understudy.verify.model import Finding, Place, Subject
from understudy.verify.rules.found import found
from understudy.verify.rules.registry_rules import DIFF_ID, HISTORY, PARENT_MISSING, UNREADABLE

_PLACES_MAX = 10


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what is wrong with single layers."""
    yield from _unreadable(subject)
    yield from _parents(subject)
    yield from _diff_ids(subject)
    yield from _history(subject)


def place(subject: Subject, number: int, field: str = "") -> Place:
    """Where layer `number` is told of, with the instruction that made it."""
    path = f"manifest.layers[{number}]" + (f".{field}" if field else "")
    if not 0 <= number < len(subject.layers):
        return Place(path=path)
    layer = subject.layers[number]
    return Place(path=path, layer=number, layer_digest=layer.digest, instruction=layer.instruction)


def _unreadable(subject: Subject) -> Iterator[Finding]:
    for number, layer in enumerate(subject.layers):
        if layer.problem:
            yield found(
                UNREADABLE,
                f"layer {layer.digest} cannot be read: {layer.problem}",
                [place(subject, number)],
                fix=UNREADABLE.fix.replace("IMAGE", subject.reference),
                aws_text=UNREADABLE.aws_text.replace("DIGEST", layer.digest),
            )


def _parents(subject: Subject) -> Iterator[Finding]:
    """Directories that only the names of files below them imply, by the layer that has those files."""
    if any(layer.problem for layer in subject.layers):
        return
    by_layer: dict[int, list[str]] = {}
    for node in subject.files.walk():
        if node.implied:
            by_layer.setdefault(node.layer, []).append(node.path)
    for number, paths in sorted(by_layer.items()):
        missing = set(paths)
        blamed = _first_file(subject, missing)
        several = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield found(
            PARENT_MISSING,
            f"layer {number} has no entry for directory {paths[0]}{several}, and no layer below has one",
            [subject.place(path) for path in paths[:_PLACES_MAX]],
            aws_text=PARENT_MISSING.aws_text.replace("FILE", blamed.removeprefix("/")),
        )


def _first_file(subject: Subject, folders: set[str]) -> str:
    """The file that AWS names: the first below one of `folders`, in the order of paths."""
    for folder in sorted(folders):
        for node in subject.files.walk(folder):
            if not node.implied:
                return node.path
    return min(folders)


def _diff_ids(subject: Subject) -> Iterator[Finding]:
    named, layers = subject.image.config.diff_ids, subject.layers
    if len(named) != len(layers):
        yield found(
            DIFF_ID,
            f"config names {len(named)} layers, the manifest {len(layers)}",
            [Place(path="config.rootfs.diff_ids")],
            aws_text="",
        )
        return
    for number, layer in enumerate(layers):
        if not layer.problem and layer.actual_diff_id and layer.diff_id != layer.actual_diff_id:
            yield found(
                DIFF_ID,
                f"layer {layer.digest} has diff_id {layer.actual_diff_id}, the config says {layer.diff_id}",
                [place(subject, number)],
                aws_text=DIFF_ID.aws_text.replace("DIGEST", layer.digest),
            )


def _history(subject: Subject) -> Iterator[Finding]:
    history = subject.image.config.history
    told = sum(not entry.empty_layer for entry in history)
    if told != len(subject.layers):
        yield found(
            HISTORY,
            f"config.history tells of {told} layers, the manifest has {len(subject.layers)}",
            [Place(path="config.history")],
        )

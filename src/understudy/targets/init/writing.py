"""Puts files into a repository, and overwrites nothing: the only part of `init` that writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from understudy.errors import UnderstudyError

Outcome = Literal["written", "same", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What became of a file.

    Attributes:
        path: relative to the repository.
        outcome: ``written``; ``same`` when it was there with this text; ``kept`` when it was there with
            another, which stays.
        text: what was, or would have been, written.
    """

    path: str
    outcome: Outcome
    text: str


def write(root: Path, files: Mapping[str, str], *, dry_run: bool = False) -> tuple[FileOutcome, ...]:
    """Writes the files that are not there.

    Args:
        root: folder of the repository.
        files: text by path.
        dry_run: whether to say what would be written, and write nothing.

    Raises:
        UnderstudyError: a folder cannot be made or a file not be written; what was written stays.
    """
    found = tuple(_outcome(root, path, text) for path, text in files.items())
    for one in found:
        if one.outcome == "written" and not dry_run:
            _create(root / one.path, one.text)
    return found


def _outcome(root: Path, path: str, text: str) -> FileOutcome:
    place = root / path
    outcome: Outcome = "written"
    if place.exists() or place.is_symlink():
        is_same = place.is_file() and place.read_text("utf-8", errors="replace") == text
        outcome = "same" if is_same else "kept"
    return FileOutcome(path=path, outcome=outcome, text=text)


def _create(place: Path, text: str) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # "x": a file that came meanwhile is somebody's work too.
        with place.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise UnderstudyError(
            "init-write",
            f"{place} cannot be written: {exc.strerror}",
            hint="make room for it, or run init in a folder that you may write to",
            where=str(place),
        ) from exc

"""Errors about manifests, each with the file, the line and the path of the offending value."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.manifests.model import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a manifest.

    Attributes:
        code: stable kebab-case name.
        message: subject, offending value, expected value.
        hint: one edit.
        at: where it was written.
        path: the field, as `spec.code.imageURI`.
    """

    code: str
    message: str
    hint: str
    at: Position
    path: str = ""

    @property
    def where(self) -> str:
        """File, line and field in one string."""
        return f"{self.at}, {self.path}" if self.path else str(self.at)


class ManifestError(UnderstudyError):
    """A manifest, an overlay or a project file that cannot be used as it is written.

    Attributes:
        problems: everything found, in the order of the files; never empty.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *others = problems
        more = "".join(f"\n  also: {other.where}: {other.message}" for other in others)
        super().__init__(first.code, first.message + more, hint=first.hint, where=first.where)
        self.problems = tuple(problems)


def problem(code: str, message: str, *, hint: str, at: Position, path: str = "") -> ManifestError:
    """An error about one problem."""
    return ManifestError([Problem(code=code, message=message, hint=hint, at=at, path=path)])


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that the writer probably meant, or None when nothing is close."""
    options = {option.lower(): option for option in sorted(valid)}
    found = difflib.get_close_matches(name.lower(), options, n=1, cutoff=0.6)
    return options[found[0]] if found else None


def suggestion(name: str, valid: Iterable[str]) -> str:
    """A hint that names the nearest valid name, or lists the valid ones."""
    names = sorted(valid)
    close = nearest(name, names)
    if close:
        return f"rename it to {close}"
    if not names:
        return "remove it"
    return f"remove it, or use one of {', '.join(names)}"

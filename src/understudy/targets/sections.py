"""Frozen dataclasses from a file that people write: strict about names and types, each problem with its line.

A field is annotated with what it accepts, as in ``port: Annotated[int, number(1, 65535)] = 8000``; in the
file its name is in camelCase. Refuses to convert: text is no number, and a number no text. Why not
pydantic: docs/decisions, "The project file is read without pydantic".
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar, get_type_hints

from understudy.manifests import errors
from understudy.manifests.errors import ManifestError, Problem
from understudy.manifests.model import Node

_UNKNOWN = "project-unknown-field"
_CORRECT = "correct the value"
_UNDERSCORE = re.compile(r"_([a-z])")

T = TypeVar("T")


class Problems:
    """What is wrong with a file.

    Attributes:
        found: in the order of reading.
    """

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def value(self, node: Node, path: str, expected: str, hint: str = _CORRECT) -> None:
        """Notes a value that is not what was `expected`."""
        message = f"{path or 'the file'} is wrong: expected {expected}"
        self.add("project-value", message, hint, node, path)

    def add(self, code: str, message: str, hint: str, node: Node, path: str) -> None:
        """Notes a problem."""
        self.found.append(Problem(code=code, message=message, hint=hint, at=node.at, path=path))


Read = Callable[[Problems, Node, str], Any]
"""Returns the value of the node at a path. A wrong one is noted, and what is returned of it is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """What a section holds under one name."""

    attribute: str
    read: Read
    required: bool
    nullable: bool


def parse(cls: type[T], node: Node) -> T:
    """Returns the section that a document describes.

    Raises:
        ManifestError: with every problem; a misspelt name explains the missing one, so it is told first.
    """
    problems = Problems()
    found: T = section(cls)(problems, node, "")
    if problems.found:
        raise ManifestError(sorted(problems.found, key=lambda one: one.code != _UNKNOWN))
    return found


def section(cls: type[Any]) -> Read:
    """Accepts a map with the fields of a dataclass, and no others."""
    fields = _fields(cls)

    def read(problems: Problems, node: Node, path: str) -> object:
        if not isinstance(node.value, Mapping):
            problems.value(node, path, "a map")
            return None
        for name, child in node.entries.items():
            if name not in fields:
                at = _join(path, name)
                message = f"{at} is no field of the project file"
                problems.add(_UNKNOWN, message, errors.suggestion(name, fields), child, at)
        values = {
            field.attribute: _value(problems, node, name, field, path)
            for name, field in fields.items()
            if field.required or name in node.entries
        }
        return cls(**values)

    return read


def text(problems: Problems, node: Node, path: str) -> str:
    """Accepts any text."""
    if node.text is None:
        simple = isinstance(node.value, bool | int | float)
        hint = f'write "{str(node.value).lower()}" in quotes' if simple else _CORRECT
        problems.value(node, path, "text", hint)
    return node.text or ""


def matching(pattern: str) -> Read:
    """Accepts text that is as the pattern says from start to end."""

    def read(problems: Problems, node: Node, path: str) -> str:
        found = text(problems, node, path)
        if node.text is not None and not re.fullmatch(pattern, found):
            problems.value(node, path, f"text that matches {pattern}")
        return found

    return read


def inside(problems: Problems, node: Node, path: str) -> str:
    """Accepts a path that stays inside the file's folder."""
    found = PurePosixPath(given := text(problems, node, path))
    if node.text is not None and (found.is_absolute() or ".." in found.parts or not given):
        problems.value(node, path, "a path inside the project, relative to understudy.yaml")
    return str(found)


def choice(*names: str) -> Read:
    """Accepts one of these words."""
    *first, last = (repr(name) for name in names)
    expected = f"{', '.join(first)} or {last}"

    def read(problems: Problems, node: Node, path: str) -> str:
        if node.text not in names:
            problems.value(node, path, expected, f"write {expected}")
        return node.text or ""

    return read


def flag(problems: Problems, node: Node, path: str) -> bool:
    """Accepts true and false."""
    if not isinstance(node.value, bool):
        problems.value(node, path, "true or false")
    return node.value is True


def number(least: int, most: int | None = None) -> Read:
    """Accepts a whole number in this range."""
    expected = f"a whole number from {least} to {most}" if most else f"a whole number from {least} on"

    def read(problems: Problems, node: Node, path: str) -> int:
        found = node.value if isinstance(node.value, int) and not isinstance(node.value, bool) else None
        if found is None or found < least or (most is not None and found > most):
            problems.value(node, path, expected)
        return found or 0

    return read


def each(read_item: Read) -> Read:
    """Accepts a list of what `read_item` accepts."""

    def read(problems: Problems, node: Node, path: str) -> tuple[Any, ...]:
        if not isinstance(node.value, tuple):
            problems.value(node, path, "a list")
        return tuple(
            read_item(problems, item, _join(path, str(place))) for place, item in enumerate(node.items)
        )

    return read


def named(read_item: Read, pattern: str = ".*") -> Read:
    """Accepts a map of what `read_item` accepts, under names as the pattern says."""

    def read(problems: Problems, node: Node, path: str) -> dict[str, Any]:
        if not isinstance(node.value, Mapping):
            problems.value(node, path, "a map")
        for name, item in node.entries.items():
            if not re.fullmatch(pattern, name):
                problems.value(item, _join(path, name), f"a name that matches {pattern}")
        return {name: read_item(problems, item, _join(path, name)) for name, item in node.entries.items()}

    return read


def _value(problems: Problems, node: Node, name: str, field: _Field, path: str) -> object:
    child = node.entries.get(name)
    at = _join(path, name)
    if child is None:
        problems.add("project-missing-field", f"{at} is missing", f"add {name}", node, at)
        return None
    return None if child.value is None and field.nullable else field.read(problems, child, at)


def _fields(cls: type[Any]) -> Mapping[str, _Field]:
    hints = get_type_hints(cls, include_extras=True)
    return {
        _UNDERSCORE.sub(lambda found: found[1].upper(), field.name): _Field(
            attribute=field.name,
            read=hints[field.name].__metadata__[0],
            required=field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            nullable=field.default is None,
        )
        for field in dataclasses.fields(cls)
    }


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

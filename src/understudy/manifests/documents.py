"""Parses YAML into JSON values that keep their positions.

YAML readers disagree about plain scalars: `12:30` is 750 for one and text for the next, `no` is false
or text, `1e3` is a number or text, dates become objects. Here a plain scalar is `null`, `true`, `false`
or a decimal number exactly as JSON writes it (without exponent); everything else is text.
Refuses duplicate keys, tags other than the JSON ones, merge keys, and aliases that contain themselves.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from understudy.errors import UnderstudyError
from understudy.manifests import errors
from understudy.manifests.model import Node, Position, Scalar

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
_STRING_TAG = "tag:yaml.org,2002:str"
_CONTAINER_TAGS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MAX_DEPTH = 100
_MAX_VALUES = 100_000  # aliases multiply; no manifest comes near this


def load(path: Path, *, name: str | None = None) -> tuple[Node, ...]:
    """The documents of a file; empty documents are left out.

    Args:
        path: the file.
        name: how errors call the file; its path by default.

    Raises:
        ManifestError: the file is no YAML, or is YAML that means different things to different readers.
        UnderstudyError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UnderstudyError(
            "manifest-unreadable", f"{path} cannot be read: {exc}", hint=f"check the path {path}"
        ) from exc
    return parse(text, file=name or str(path))


def parse(text: str, *, file: str, lines_before: int = 0) -> tuple[Node, ...]:
    """The documents of a text; empty documents are left out.

    Args:
        text: the YAML.
        file: how errors call the file it is from.
        lines_before: lines of that file above the text, for YAML inside YAML.

    Raises:
        ManifestError: the text is no YAML, or is YAML that means different things to different readers.
    """
    try:
        nodes = tuple(_Composer(yaml.parse(text, Loader=_LOADER), file, lines_before).documents())
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line, column = (mark.line, mark.column) if mark else (0, 0)
        at = Position(file=file, line=line + 1 + lines_before, column=column + 1)
        reason = getattr(exc, "problem", None) or "not YAML"
        raise errors.problem(
            "manifest-syntax", f"{file} is no valid YAML: {reason}", hint=f"correct line {at.line}", at=at
        ) from exc
    return tuple(node for node in nodes if node.value is not None)


def scalar(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return text


class _Composer:
    """Turns the events of one YAML stream into nodes."""

    def __init__(self, events: Iterator[yaml.Event], file: str, lines_before: int) -> None:
        self._events = events
        self._file = file
        self._lines_before = lines_before
        self._anchors: dict[str, Node | None] = {}
        self._sizes: dict[int, int] = {}
        self._values = 0

    def documents(self) -> Iterator[Node]:
        """One node per document."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                first = next(self._events)
                yield self._node(first, self._at(first), 0)

    def _at(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Position(file=self._file, line=line + 1 + self._lines_before, column=column + 1)

    def _node(self, event: yaml.Event, at: Position, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise errors.problem("manifest-depth", "value is nested too deeply", hint="flatten it", at=at)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, at)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = None
        before = self._values
        self._spend(1, at)
        node = Node(value=self._value(event, at, depth), at=at)
        if anchor:
            self._anchors[anchor] = node
            self._sizes[id(node)] = self._values - before
        return node

    def _value(
        self, event: yaml.Event, at: Position, depth: int
    ) -> "Scalar | dict[str, Node] | tuple[Node, ...]":
        if isinstance(event, yaml.MappingStartEvent):
            self._container_tag(event.tag, at)
            return self._map(depth)
        if isinstance(event, yaml.SequenceStartEvent):
            self._container_tag(event.tag, at)
            return tuple(self._node(item, self._at(item), depth + 1) for item in self._until_end())
        assert isinstance(event, yaml.ScalarEvent)  # noqa: S101 - the parser emits nothing else here
        return self._scalar(event, at)

    def _until_end(self) -> Iterator[yaml.Event]:
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield event

    def _map(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for event in self._until_end():
            at = self._at(event)
            key = self._key(event, at)
            if key in entries:
                raise errors.problem(
                    "manifest-duplicate-key",
                    f"key {key} is given twice; first on line {entries[key].at.line}",
                    hint="remove one of the two",
                    at=at,
                    path=key,
                )
            entries[key] = self._node(next(self._events), at, depth + 1)
        return entries

    @staticmethod
    def _key(event: yaml.Event, at: Position) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise errors.problem("manifest-key", "key is no text", hint="write a plain key", at=at)
        key, plain = str(event.value), event.implicit[0]
        if plain and key == "<<":
            raise errors.problem(
                "manifest-merge-key", "merge key << is not JSON", hint="repeat the keys", at=at
            )
        if plain and not isinstance(scalar(key), str):
            raise errors.problem(
                "manifest-key", f"key {key} is no text", hint=f'write "{key}" in quotes', at=at, path=key
            )
        return key

    def _scalar(self, event: yaml.ScalarEvent, at: Position) -> Scalar:
        plain, quoted = event.implicit
        if plain:
            return scalar(event.value)
        if quoted or event.tag in (_STRING_TAG, "!"):
            return str(event.value)
        raise self._bad_tag(event.tag, at)

    def _container_tag(self, tag: str | None, at: Position) -> None:
        if tag not in _CONTAINER_TAGS:
            raise self._bad_tag(tag, at)

    def _bad_tag(self, tag: str | None, at: Position) -> errors.ManifestError:
        return errors.problem("manifest-tag", f"tag {tag} is not JSON", hint="remove the tag", at=at)

    def _alias(self, event: yaml.AliasEvent, at: Position) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            reason = "contains itself" if event.anchor in self._anchors else "is not defined"
            raise errors.problem(
                "manifest-alias", f"alias *{event.anchor} {reason}", hint="write the value out", at=at
            )
        self._spend(self._sizes[id(node)], at)
        return node

    def _spend(self, values: int, at: Position) -> None:
        self._values += values
        if self._values > _MAX_VALUES:
            raise errors.problem(
                "manifest-size", f"document has more than {_MAX_VALUES} values", hint="split the file", at=at
            )

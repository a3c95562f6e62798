"""Finds the operation of a REST request: one tree of path segments per service, built once.

A literal segment wins over a label, and an operation whose URI demands a query value (`?List=ALL`) wins over
its plain neighbour. Segments stay percent-encoded until they are labels, so an ARN with an encoded slash is
one label.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass(slots=True)
class _Leaf:
    operation: str
    labels: tuple[str, ...]
    query: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    label: "_Node | None" = None
    greedy: dict[str, list[_Leaf]] = field(default_factory=dict)
    leaves: dict[str, list[_Leaf]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation's method and URI template, as botocore's model writes them."""

    operation: str
    method: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The operation that a request names and the decoded labels of its path."""

    operation: str
    labels: Mapping[str, str]


class RouteTable:
    """The REST routes of one service."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def match(self, method: str, path: str, query: Mapping[str, list[str]]) -> Match | None:
        """Returns the operation of a request, or None; `path` is still percent-encoded."""
        return _search(self._root, _segments(path), 0, [], _Wanted(method=method, query=query))

    def _add(self, route: Route) -> None:
        path, _, query = route.uri.partition("?")
        node, labels, greedy = self._root, [], False
        for segment in _segments(path):
            if not segment.startswith("{"):
                node = node.literal.setdefault(segment, _Node())
                continue
            labels.append(segment[1:-1].rstrip("+"))
            if segment.endswith("+}"):
                greedy = True
                break
            if node.label is None:
                node.label = _Node()
            node = node.label
        pairs = tuple(
            (key, value) for key, _, value in (part.partition("=") for part in query.split("&") if part)
        )
        leaves = (node.greedy if greedy else node.leaves).setdefault(route.method, [])
        leaves.append(_Leaf(route.operation, tuple(labels), pairs))
        leaves.sort(key=lambda leaf: -len(leaf.query))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    method: str
    query: Mapping[str, list[str]]

    def choose(self, leaves: Mapping[str, list[_Leaf]], values: list[str]) -> Match | None:
        for leaf in leaves.get(self.method, ()):
            if all(value in self.query.get(key, ()) for key, value in leaf.query):
                decoded = (unquote(value) for value in values)
                return Match(operation=leaf.operation, labels=dict(zip(leaf.labels, decoded, strict=True)))
        return None


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _search(node: _Node, segments: list[str], at: int, values: list[str], wanted: _Wanted) -> Match | None:
    if at == len(segments):
        return wanted.choose(node.leaves, values)
    following = node.literal.get(segments[at])
    if following is not None:
        found = _search(following, segments, at + 1, values, wanted)
        if found is not None:
            return found
    if node.label is not None and segments[at]:
        found = _search(node.label, segments, at + 1, [*values, segments[at]], wanted)
        if found is not None:
            return found
    if node.greedy:
        return wanted.choose(node.greedy, [*values, "/".join(segments[at:])])
    return None

"""Which route of an HTTP API answers a request; pure.

Source: API Gateway developer guide, "Routing API requests" (http-api-develop-routes): a full match of route
and method wins over a greedy match, which wins over ``$default``; a literal segment wins over a variable.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DEFAULT_ROUTE = "$default"
_METHODS = frozenset({"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_VARIABLE = re.compile(r"\{([A-Za-z0-9._:-]+)(\+?)\}")
_LITERAL, _PARAMETER, _GREEDY = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteKey:
    """A parsed route key, ``METHOD /path/{name}/{rest+}``.

    Attributes:
        text: the key as the user wrote it.
        method: an HTTP method or ``ANY``.
        pattern: matches a decoded path; one group per variable.
        names: the variables' names in the order of the groups.
        rank: sorts the more specific key first.
    """

    text: str
    method: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    rank: tuple[tuple[int, ...], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatch:
    """The route that answers, with the values of its path variables."""

    route_id: str
    route_key: str
    path_parameters: Mapping[str, str]


def parse_route_key(text: str) -> RouteKey:
    """Returns the parsed key.

    Raises:
        ValueError: it is neither ``$default`` nor ``METHOD /path``, or a greedy variable is not last.
    """
    if text == DEFAULT_ROUTE:
        return RouteKey(
            text=text, method="ANY", pattern=re.compile(".*", re.DOTALL), names=(), rank=((9,), 1)
        )
    method, _, path = text.partition(" ")
    if method not in _METHODS or not path.startswith("/"):
        raise ValueError(text)
    segments = path[1:].split("/")
    parts: list[str] = []
    names: list[str] = []
    ranks: list[int] = []
    for index, segment in enumerate(segments):
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            if "{" in segment or "}" in segment:
                raise ValueError(text)
            parts.append(re.escape(segment))
            ranks.append(_LITERAL)
            continue
        greedy = bool(variable[2])
        if greedy and index != len(segments) - 1:
            raise ValueError(text)
        names.append(variable[1])
        parts.append("(.+)" if greedy else "([^/]+)")
        ranks.append(_GREEDY if greedy else _PARAMETER)
    return RouteKey(
        text=text,
        method=method,
        pattern=re.compile("/" + "/".join(parts), re.DOTALL),
        names=tuple(names),
        rank=(tuple(ranks), int(method == "ANY")),
    )


class Router:
    """The routes of one API, the most specific first."""

    def __init__(self, routes: Iterable[tuple[str, str]]) -> None:
        parsed = [(route_id, parse_route_key(key)) for route_id, key in routes]
        self._routes = sorted(parsed, key=lambda route: route[1].rank)

    def match(self, method: str, path: str) -> RouteMatch | None:
        """Returns the route for a method and a decoded path, or None when the API has none."""
        for route_id, key in self._routes:
            if key.method not in ("ANY", method):
                continue
            found = key.pattern.fullmatch(path)
            if found is not None:
                values = dict(zip(key.names, found.groups(), strict=True))
                return RouteMatch(route_id=route_id, route_key=key.text, path_parameters=values)
        return None

"""Path patterns as moby/patternmatcher and Go's filepath.Match read them.

`*` and `?` stop at a slash, `**` does not, `[...]` is a class, a backslash escapes. Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache


class PatternSyntaxError(ValueError):
    """A class is not closed, or the pattern ends in a backslash."""


def has_wildcard(pattern: str) -> bool:
    """Whether `pattern` is more than a literal path."""
    return any(char in pattern for char in "*?[\\")


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Returns the regular expression that matches whole relative paths.

    Raises:
        PatternSyntaxError: the pattern is malformed.
    """
    out: list[str] = []
    position = 0
    while position < len(pattern):
        piece, position = _piece(pattern, position)
        out.append(piece)
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error as exc:
        raise PatternSyntaxError(str(exc)) from exc


def _piece(pattern: str, position: int) -> tuple[str, int]:
    char = pattern[position]
    if char == "*":
        return _stars(pattern, position)
    if char == "?":
        return "[^/]", position + 1
    if char == "[":
        return _class(pattern, position)
    if char == "\\":
        if position + 1 == len(pattern):
            raise PatternSyntaxError("it ends in a backslash")
        return re.escape(pattern[position + 1]), position + 2
    return re.escape(char), position + 1


def _stars(pattern: str, position: int) -> tuple[str, int]:
    if not pattern.startswith("**", position):
        return "[^/]*", position + 1
    position += 2
    while pattern.startswith("*", position):
        position += 1
    if pattern.startswith("/", position):
        return "(?:.*/)?", position + 1
    return ".*", position


def _class(pattern: str, position: int) -> tuple[str, int]:
    start = position + 1
    negated = pattern[start : start + 1] in ("^", "!")
    if negated:
        start += 1
    end = pattern.find("]", start + 1)
    if end < 0:
        raise PatternSyntaxError("a class [ is not closed")
    body = pattern[start:end].replace("[", r"\[")
    return f"[{'^' if negated else ''}{body}]", end + 1

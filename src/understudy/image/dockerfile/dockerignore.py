"""`.dockerignore`: which files of the build context do not exist for the build.

Follows moby/patternmatcher: the last pattern that matches a path or one of its parents decides, `!` takes
back. Pure: text in, a matcher out; the caller finds the file (`<Dockerfile>.dockerignore` first).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.image.dockerfile import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One line.

    Attributes:
        text: cleaned, without the exclamation mark and leading slashes.
        negated: whether the line takes files back in.
    """

    text: str
    negated: bool

    def matches(self, path: str) -> bool:
        """Whether it matches `path` or a parent directory of it."""
        regex = patterns.compile_pattern(self.text)
        while path:
            if regex.fullmatch(path):
                return True
            path = path.rpartition("/")[0]
        return False

    def may_match_below(self, directory: str) -> bool:
        """Whether it can match something inside `directory`."""
        literal: list[str] = []
        for part in self.text.split("/"):
            if patterns.has_wildcard(part):
                break
            literal.append(part)
        names = directory.split("/")
        return all(mine == theirs for mine, theirs in zip(literal, names, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerignore:
    """The patterns of one file, in order."""

    patterns: tuple[Pattern, ...] = ()

    def excludes(self, path: str) -> bool:
        """Whether the file or directory at `path` (relative, with slashes) is left out."""
        for pattern in reversed(self.patterns):
            if pattern.matches(path):
                return not pattern.negated
        return False

    def prunes(self, directory: str) -> bool:
        """Whether `directory` is left out together with everything below it."""
        if not self.excludes(directory):
            return False
        return not any(item.negated and item.may_match_below(directory) for item in self.patterns)

    def with_also(self, paths: Iterable[str]) -> Dockerignore:
        """These patterns and, behind them, so that none takes it back, each of `paths`."""
        added = (Pattern(text=path, negated=False) for path in paths)
        return Dockerignore(patterns=(*self.patterns, *added))


def parse(text: str, *, path: str = ".dockerignore") -> Dockerignore:
    """Returns the patterns in `text`.

    Raises:
        UnderstudyError: a pattern is malformed.
    """
    found = []
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        line = raw.strip()
        if raw.startswith("#") or not line:
            continue
        negated = line.startswith("!")
        cleaned = clean(line[1:].strip() if negated else line)
        if not cleaned:
            continue
        try:
            patterns.compile_pattern(cleaned)
        except patterns.PatternSyntaxError as exc:
            raise UnderstudyError(
                "dockerignore-invalid",
                f"pattern {line!r} is malformed: {exc}",
                hint="close the class with ]",
                where=f"{path}:{number}",
            ) from exc
        found.append(Pattern(text=cleaned, negated=negated))
    return Dockerignore(patterns=tuple(found))


def clean(pattern: str) -> str:
    """Returns `pattern` relative to the context's root; empty for the root itself."""
    cleaned = posixpath.normpath(pattern).lstrip("/")
    return "" if cleaned == "." else cleaned

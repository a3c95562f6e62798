"""Cuts a Dockerfile's text into instructions: directives, comments, continuations, heredocs.

Follows BuildKit's `frontend/dockerfile/parser`. Knows no instruction but for the three that take heredocs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.image.dockerfile import words
from understudy.image.dockerfile.model import Flag, Heredoc, Origin

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)")
_HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})
_FLAG = re.compile(r"--([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?", re.DOTALL)


class DockerfileError(UnderstudyError):
    """A Dockerfile cannot be read or built as written; `where` is its file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawInstruction:
    """One instruction, not understood yet."""

    at: Origin
    flags: tuple[Flag, ...]
    rest: str
    heredocs: tuple[Heredoc, ...] = ()


def error(path: str, line: int, message: str, hint: str) -> DockerfileError:
    """Returns the error about one line of a Dockerfile."""
    return DockerfileError("dockerfile-invalid", message, hint=hint, where=f"{path}:{line}")


def cut(text: str, path: str) -> tuple[str, list[RawInstruction]]:
    """Returns the escape character and the instructions of a Dockerfile's text.

    Raises:
        DockerfileError: a directive, flag or heredoc is malformed.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    escape, start = _directives(lines, path)
    return escape, _Cutter(lines, path, escape, start).instructions()


def _directives(lines: list[str], path: str) -> tuple[str, int]:
    escape = "\\"
    seen: set[str] = set()
    for number, line in enumerate(lines):
        match = _DIRECTIVE.fullmatch(line.strip())
        name = match.group(1).lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            return escape, number
        if name in seen:
            raise error(path, number + 1, f"directive {name} is given twice", f"delete one # {name}= line")
        seen.add(name)
        if name == "escape":
            escape = match.group(2)
            if escape not in ("\\", "`"):
                raise error(
                    path, number + 1, f"escape character is {escape!r}, not \\ or `", "write # escape=\\"
                )
    return escape, len(lines)


class _Cutter:
    """Walks over the lines once."""

    def __init__(self, lines: list[str], path: str, escape: str, start: int) -> None:
        self._lines = lines
        self._path = path
        self._escape = escape
        self._next = start
        marker = re.escape(escape)
        self._continued = re.compile(rf"(?:(?<=[^{marker}])|^){marker}[ \t]*$")

    def instructions(self) -> list[RawInstruction]:
        found = []
        while self._next < len(self._lines):
            line = self._lines[self._next]
            if not line.strip() or line.lstrip().startswith("#"):
                self._next += 1
                continue
            found.append(self._instruction())
        return found

    def _instruction(self) -> RawInstruction:
        first = self._next + 1
        text = self._logical_line()
        keyword, rest = (*text.strip().split(maxsplit=1), "")[:2]
        flags, rest = self._flags(rest, first)
        heredocs: tuple[Heredoc, ...] = ()
        if keyword.upper() in _HEREDOC_KEYWORDS and not rest.startswith("["):
            heredocs = tuple(self._heredocs(rest, first))
        return RawInstruction(
            at=Origin(keyword=keyword.upper(), line=first, source=" ".join(text.split())),
            flags=tuple(flags),
            rest=rest,
            heredocs=heredocs,
        )

    def _logical_line(self) -> str:
        """Joins continuation lines; comments and empty lines between them do not count."""
        parts: list[str] = []
        joined = True
        while joined and self._next < len(self._lines):
            line = self._lines[self._next]
            self._next += 1
            if parts and (not line.strip() or line.lstrip().startswith("#")):
                continue
            line = line.lstrip() if not parts else line
            match = self._continued.search(line)
            joined = match is not None
            parts.append(line[: match.start()] if match else line)
        return "".join(parts)

    def _flags(self, rest: str, line: int) -> tuple[list[Flag], str]:
        flags = []
        while rest.startswith("--"):
            word = (words.split(rest, escape=self._escape) or [""])[0]
            rest = rest[len(word) :].lstrip()
            if word == "--":
                break
            match = _FLAG.fullmatch(word)
            if match is None:
                raise error(
                    self._path, line, f"flag {word} is not --name=value", f"write {word.lstrip('-')} out"
                )
            flags.append(Flag(name=match.group(1), value=match.group(2)))
        return flags, rest

    def _heredocs(self, rest: str, line: int) -> list[Heredoc]:
        return [
            self._heredoc_body(match, line)
            for word in words.split(rest, escape=self._escape)
            if (match := heredoc_word(word)) is not None
        ]

    def _heredoc_body(self, match: re.Match[str], line: int) -> Heredoc:
        raw_name = match.group(3)
        name = words.expand(raw_name, {}, escape=self._escape)
        body: list[str] = []
        while self._next < len(self._lines):
            text = self._lines[self._next]
            self._next += 1
            if match.group(2):
                text = text.lstrip("\t")
            if text == name:
                return Heredoc(name=name, text="".join(body), expand=name == raw_name)
            body.append(text + "\n")
        raise error(
            self._path, line, f"heredoc <<{raw_name} is not ended", f"add a line that holds {name} alone"
        )


def heredoc_word(word: str) -> re.Match[str] | None:
    """Returns the parts of `<<NAME`, `<<-NAME` or `3<<NAME`; None for every other word."""
    match = _HEREDOC.fullmatch(word)
    if match is None:
        return None
    try:
        names = words.expand_fields(match.group(3), {})
    except words.WordSyntaxError:
        return None
    return match if len(names) == 1 else None

"""The commands that a small entry script would run.

Entry scripts of images are short: they set variables and `exec` something. This module reads them that far
and no further. It refuses to be a shell: conditions are not decided, substitutions by commands stay unknown.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)
_ARRAY = re.compile(r"([A-Za-z_]\w*)=\((.*)\)\s*", re.DOTALL)
_ALL = re.compile(r"\$(?:[@*]|\{[@*]\}|\{(\w+)\[[@*]\]\})")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-=]([^}]*))?\}|(\w+))")
_KEYWORDS = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "(", "command", "--"})
_SEPARATORS = frozenset({";", "&&", "||", "|", "&", ";;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One simple command of a script, expanded as far as it can be known.

    Attributes:
        words: the program and its arguments.
        replaces: whether it takes the place of the shell (``exec``).
    """

    words: tuple[str, ...]
    replaces: bool


def commands(text: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Command]:
    """Yields the simple commands of `text` in order, whatever the conditions around them.

    Args:
        text: of the script, without its shebang or with it.
        arguments: the script's own, for ``$@`` and ``$1``.
        environment: variables the script starts with.
    """
    scalars = dict(environment)
    scalars.update({str(number): value for number, value in enumerate(arguments, start=1)})
    lists: dict[str, tuple[str, ...]] = {"": tuple(arguments)}
    for line in text.replace("\r", "").replace("\\\n", " ").splitlines():
        array = _ARRAY.fullmatch(line.strip())
        if array is not None:
            lists[array[1]] = tuple(_expand(_split(array[2]), scalars, lists))
            continue
        for words in _simple(_split(line)):
            yield from _command(words, scalars, lists)


def _split(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return list(lexer)
    except ValueError:
        return []


def _simple(words: Sequence[str]) -> Iterator[list[str]]:
    current: list[str] = []
    for word in words:
        if word in _SEPARATORS:
            yield current
            current = []
        else:
            current.append(word)
    yield current


def _command(
    words: list[str], scalars: dict[str, str], lists: Mapping[str, tuple[str, ...]]
) -> Iterator[Command]:
    replaces = False
    expanded = _expand(words, scalars, lists)
    while expanded:
        word = expanded[0]
        assignment = _ASSIGNMENT.fullmatch(word)
        if assignment is not None:
            scalars[assignment[1]] = assignment[2]
        elif word == "exec":
            replaces = True
        elif word and word != "export" and word not in _KEYWORDS:
            yield Command(words=tuple(expanded), replaces=replaces)
            return
        expanded = expanded[1:]


def _expand(
    words: Sequence[str], scalars: Mapping[str, str], lists: Mapping[str, tuple[str, ...]]
) -> list[str]:
    expanded: list[str] = []
    for word in words:
        whole = _ALL.fullmatch(word)
        if whole is not None:
            expanded.extend(lists.get(whole[1] or "", ()))
        else:
            expanded.append(_VARIABLE.sub(lambda found: _value(found, scalars), word))
    return expanded


def _value(found: re.Match[str], scalars: Mapping[str, str]) -> str:
    return scalars.get(found[1] or found[3], "") or found[2] or ""

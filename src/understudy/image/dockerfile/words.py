"""Words of a Dockerfile: quotes, escapes and variables by BuildKit's rules.

Follows BuildKit's `frontend/dockerfile/shell/lex.go`: `$v`, `${v}`, the modifiers `:-` `-` `:+` `+` `:?`
`?`, `#` `##` `%` `%%`, `/` and `//`, single and double quotes and the escape character. Refuses what a
shell has beyond that: no command substitution, no arithmetic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = "@*#?-$!0123456789"
_MODIFIERS = (":-", ":+", ":?", "##", "%%", "//", "-", "+", "?", "#", "%", "/")


class WordSyntaxError(ValueError):
    """A word that cannot be read; the caller adds file and line."""


def expand(word: str, variables: Mapping[str, str], *, escape: str = "\\") -> str:
    """Returns `word` as one word: quotes removed, variables replaced.

    Raises:
        WordSyntaxError: a quote or brace is not closed, or a `${v:?}` has no value.
    """
    return "".join(text for text, _ in _Lexer(word, variables, escape).pieces())


def expand_fields(word: str, variables: Mapping[str, str], *, escape: str = "\\") -> list[str]:
    """Returns the words in `word`; an unquoted variable with blanks gives several, as in a shell.

    Raises:
        WordSyntaxError: a quote or brace is not closed, or a `${v:?}` has no value.
    """
    words: list[str] = []
    current: str | None = None
    for text, quoted in _Lexer(word, variables, escape).pieces():
        if quoted:
            current = (current or "") + text
            continue
        for part in re.split(r"([ \t\r\n]+)", text):
            if part and part.isspace():
                if current is not None:
                    words.append(current)
                current = None
            elif part:
                current = (current or "") + part
    if current is not None:
        words.append(current)
    return words


def expand_text(text: str, variables: Mapping[str, str], *, escape: str = "\\") -> str:
    """Returns `text` with variables replaced as in a shell's unquoted heredoc: quotes stay.

    Raises:
        WordSyntaxError: a brace is not closed.
    """
    return _Lexer(text, variables, escape).text()


def split(text: str, *, escape: str = "\\") -> list[str]:
    """Returns `text` cut at blanks outside quotes; quotes and escapes stay in the words."""
    words: list[str] = []
    current = ""
    quote = ""
    position = 0
    while position < len(text):
        char = text[position]
        if not quote and char.isspace():
            if current:
                words.append(current)
            current = ""
        elif char == escape and quote != "'" and position + 1 < len(text):
            current += text[position : position + 2]
            position += 1
        else:
            if not quote and char in "'\"":
                quote = char
            elif char == quote:
                quote = ""
            current += char
        position += 1
    if current:
        words.append(current)
    return words


class _Lexer:
    """One pass over one word."""

    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._variables = variables
        self._escape = escape
        self._position = 0

    def pieces(self) -> list[tuple[str, bool]]:
        """Returns pieces of text, each with whether blanks in it belong to the word."""
        found: list[tuple[str, bool]] = []
        while self._position < len(self._text):
            found.append(self._piece())
        return found

    def text(self) -> str:
        """Returns everything, with quotes as they are."""
        value = ""
        while self._position < len(self._text):
            char = self._take()
            following = self._text[self._position : self._position + 1]
            if char == "$":
                value += self._dollar()
            elif char == self._escape and following in ("$", self._escape):
                value += self._take()
            else:
                value += char
        return value

    def _piece(self) -> tuple[str, bool]:
        char = self._take()
        if char == "'":
            return self._until_quote(), True
        if char == '"':
            return self._double_quoted(), True
        if char == "$":
            return self._dollar(), False
        if char == self._escape:
            return (self._take() if self._position < len(self._text) else char), True
        return char, False

    def _take(self) -> str:
        char = self._text[self._position]
        self._position += 1
        return char

    def _until_quote(self) -> str:
        end = self._text.find("'", self._position)
        if end < 0:
            raise WordSyntaxError("a single quote is not closed")
        value = self._text[self._position : end]
        self._position = end + 1
        return value

    def _double_quoted(self) -> str:
        value = ""
        while self._position < len(self._text):
            char = self._take()
            if char == '"':
                return value
            if char == "$":
                value += self._dollar()
            elif char == self._escape and self._position < len(self._text):
                following = self._take()
                value += following if following in ('"', "$", self._escape) else char + following
            else:
                value += char
        raise WordSyntaxError("a double quote is not closed")

    def _dollar(self) -> str:
        if self._text.startswith("{", self._position):
            self._position += 1
            return self._braced()
        name = self._name()
        return self._variables.get(name, "") if name else "$"

    def _name(self) -> str:
        match = _NAME.match(self._text, self._position)
        if match:
            self._position = match.end()
            return match.group()
        if self._position < len(self._text) and self._text[self._position] in _SPECIAL:
            return self._take()
        return ""

    def _braced(self) -> str:
        name = self._name()
        if not name:
            raise WordSyntaxError("${ is not followed by a name")
        if self._text.startswith("}", self._position):
            self._position += 1
            return self._variables.get(name, "")
        for modifier in _MODIFIERS:
            if self._text.startswith(modifier, self._position):
                self._position += len(modifier)
                return self._modified(name, modifier)
        raise WordSyntaxError(f"${{{name} is not closed by }} or followed by a known modifier")

    def _modified(self, name: str, modifier: str) -> str:
        value = self._variables.get(name)
        if modifier in ("/", "//"):
            pattern = self._until("/")
            replacement = self._until("}")
            return _replace(value or "", pattern, replacement, everywhere=modifier == "//")
        word = self._until("}")
        if modifier in ("#", "##", "%", "%%"):
            return _strip(value or "", word, modifier)
        present = bool(value) if modifier.startswith(":") else value is not None
        if modifier.endswith("+"):
            return word if present else ""
        if not present and modifier.endswith("?"):
            raise WordSyntaxError(f"{name}: {word or 'not set'}")
        return (value or "") if present else word

    def _until(self, end: str) -> str:
        value = ""
        while self._position < len(self._text):
            if self._text[self._position] == end:
                self._position += 1
                return value
            value += self._piece()[0]
        raise WordSyntaxError(f"${{ is not closed by {end}")


def _strip(value: str, pattern: str, modifier: str) -> str:
    """`#` and `%`: shortest match at the start or end removed; doubled: the longest."""
    regex = re.compile(_glob(pattern), re.DOTALL)
    cuts = range(len(value) + 1)
    if modifier in ("##", "%"):
        cuts = range(len(value), -1, -1)
    for cut in cuts:
        head, tail = value[:cut], value[cut:]
        if modifier.startswith("#") and regex.fullmatch(head):
            return tail
        if modifier.startswith("%") and regex.fullmatch(tail):
            return head
    return value


def _replace(value: str, pattern: str, replacement: str, *, everywhere: bool) -> str:
    if not pattern:
        return value
    regex = re.compile(_glob(pattern), re.DOTALL)
    return regex.sub(lambda _: replacement, value, count=0 if everywhere else 1)


def _glob(pattern: str) -> str:
    parts = []
    escaped = False
    for char in pattern:
        if escaped:
            parts.append(re.escape(char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            parts.append({"*": ".*", "?": "."}.get(char, re.escape(char)))
    return "".join(parts)

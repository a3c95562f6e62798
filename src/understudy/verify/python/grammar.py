"""Syntax trees of the image's Python, made by the Python that runs this program.

A newer host knows what an older image cannot parse (`feature_version`). An older host does not know newer
syntax; then the source is rewritten, line by line in place, into what the host knows (decision 0042). Where
neither can be sure the answer is `Unknown`, never a syntax error.
"""

import ast
import re
import sys
import warnings
from dataclasses import dataclass

_HOST = sys.version_info[:2]
_NEWEST_KNOWN = (3, 14)
# PEP 701; `feature_version` does not tell.
_NESTED_SINCE = (3, 12)
_STRING = re.compile(
    r"(?:(?<!\w)(?P<prefix>rb|br|fr|rf|tr|rt|[rbuft]))?(?P<quote>\"\"\"|'''|\"|')", re.IGNORECASE
)
_STRING_OR_COMMENT = re.compile(f"#|{_STRING.pattern}", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MARK = "\x01"
_MARKED = re.compile(f"{_MARK}(\\d+){_MARK}")
_ALIAS = re.compile(r"(?m)^(?P<indent>[ \t]*)type(?P<space>[ \t]+)(?P<name>\w+)(?=\s*[\[=])")
_EXCEPT = re.compile(
    r"(?m)^(?P<head>[ \t]*except\*?[ \t]+)"
    r"(?P<kinds>(?:(?! as )[^\n:])+,(?:(?! as )[^\n:])+?)(?P<tail>[ \t]*:)"
)
_PARAMETERS = re.compile(r"(?m)(?:\b(?:def|class)[ \t]+\w+\s*|^[ \t]*type[ \t]+\w+[ \t]*)(?P<open>\[)")
_LAZY = re.compile(r"(?m)^(?P<indent>[ \t]*)lazy(?P<rest>[ \t]+(?:import|from)\b)")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_DEPTH_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalid:
    """Source that the image's Python refuses.

    Attributes:
        message: as a Python of that kind puts it.
        line: where; 0 when it does not say.
        newer_than_image: whether a later Python accepts it.
    """

    message: str
    line: int
    newer_than_image: bool = False


class Unknown:
    """Source that this host cannot judge."""


def parse(source: bytes, version: tuple[int, int]) -> ast.Module | Invalid | Unknown:
    """Returns the syntax tree of `source` as Python `version` would read it."""
    with warnings.catch_warnings():
        # Invalid escapes in the image's code are that code's business.
        warnings.simplefilter("ignore")
        if version <= _HOST:
            return _by_newer_host(source, version)
        return _by_older_host(source, version)


def _by_newer_host(source: bytes, version: tuple[int, int]) -> ast.Module | Invalid:
    try:
        tree = ast.parse(source, feature_version=version)
        if _HOST >= _NESTED_SINCE > version and _has_nested_strings(_decoded(source)):
            return Invalid(message="f-string: expecting '}'", line=0, newer_than_image=True)
        return tree  # noqa: TRY300 - the test reads the source that has just been parsed
    except (SyntaxError, ValueError, RecursionError) as exc:
        refused = _invalid(exc)
    if version == _HOST:
        return refused
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return refused
    return Invalid(message=refused.message, line=refused.line, newer_than_image=True)


def _by_older_host(source: bytes, version: tuple[int, int]) -> ast.Module | Invalid | Unknown:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as exc:
        refused = _invalid(exc)
    try:
        return ast.parse(rewritten(_decoded(source), version))
    except (SyntaxError, ValueError, RecursionError, IndexError) as exc:
        if version > _NEWEST_KNOWN:
            return Unknown()
        return _invalid(exc) if isinstance(exc, SyntaxError) else refused


def _invalid(exc: Exception) -> Invalid:
    if isinstance(exc, SyntaxError):
        return Invalid(message=exc.msg or "invalid syntax", line=exc.lineno or 0)
    return Invalid(message=str(exc), line=0)


def _decoded(source: bytes) -> str:
    """The text; another encoding than UTF-8 is none of the reasons that bring us here."""
    return source.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def rewritten(text: str, version: tuple[int, int]) -> str:
    """Returns `text` with syntax that came after Python 3.11 replaced, line for line.

    Strings lose their content, type parameters go, aliases become assignments: enough to see whether it is
    well-formed and what it imports.

    Args:
        text: of a module.
        version: whose syntax to allow.
    """
    plain, strings = _without_strings(text, templates=version >= (3, 14))
    plain = _without_parameters(plain)
    plain = _ALIAS.sub(lambda found: f"{found['indent']}{found['name']}    {found['space']}", plain)
    if version >= (3, 14):
        plain = _EXCEPT.sub(lambda found: f"{found['head']}({found['kinds']}){found['tail']}", plain)
    if version >= (3, 15):
        plain = _LAZY.sub(lambda found: f"{found['indent']}{found['rest'].lstrip()}", plain)
    return _MARKED.sub(lambda found: strings[int(found[1])], plain)


def _without_strings(text: str, *, templates: bool) -> tuple[str, list[str]]:
    """The text with marks for strings and no comments, and what to put there; formatted ones lose content."""
    out: list[str] = []
    strings: list[str] = []
    place = 0
    while place < len(text):
        found = _STRING.match(text, place)
        word = _WORD.match(text, place)
        if text[place] == "#":
            place = _line_end(text, place)
        elif found is not None and (templates or "t" not in (found["prefix"] or "").lower()):
            end = _string_end(text, found)
            out.append(f"{_MARK}{len(strings)}{_MARK}")
            strings.append(_plain(text[place:end], found))
            place = end
        else:
            end = place + 1 if word is None else word.end()
            out.append(text[place:end])
            place = end
    return "".join(out), strings


def _has_nested_strings(text: str) -> bool:
    """Whether a formatted string ends elsewhere than a Python would think that knows no nesting."""
    place = 0
    while (found := _STRING_OR_COMMENT.search(text, place)) is not None:
        if found["quote"] is None:
            place = _line_end(text, found.start())
            continue
        place = _string_end(text, found)
        if _is_formatted(found) and place != _string_end(text, found, formatted=False):
            return True
    return False


def _plain(string: str, found: re.Match[str]) -> str:
    """The same string if it is constant, an empty one of as many lines if it is formatted."""
    if not _is_formatted(found):
        return string
    lines = string.count("\n")
    return f'"""{chr(10) * lines}"""' if lines else '""'


def _is_formatted(found: re.Match[str]) -> bool:
    return not {"f", "t"}.isdisjoint((found["prefix"] or "").lower())


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end


def _string_end(text: str, found: re.Match[str], depth: int = 0, *, formatted: bool | None = None) -> int:
    quote, place = found["quote"], found.end()
    formatted = _is_formatted(found) if formatted is None else formatted
    while place < len(text):
        character = text[place]
        if text.startswith(quote, place):
            return place + len(quote)
        if character == "\n" and len(quote) == 1:
            break
        if formatted and text.startswith(("{{", "}}"), place):
            place += 2
        elif formatted and character == "{":
            place = _field_end(text, place + 1, depth + 1)
        elif character == "\\" and not (formatted and text[place + 1 : place + 2] in "{}"):
            place += 2
        else:
            place += 1
    line = text.count("\n", 0, found.start()) + 1
    raise SyntaxError("unterminated string literal", ("", line, 0, None))


def _field_end(text: str, place: int, depth: int) -> int:
    """The place after the brace that closes a replacement field; strings in it may use any quotes."""
    closers: list[str] = []
    while place < len(text) and depth <= _DEPTH_MAX:
        character = text[place]
        found = _STRING.match(text, place)
        if found is not None:
            place = _string_end(text, found, depth)
            continue
        if character == "}" and not closers:
            return place + 1
        if character == ":" and not closers:
            return _format_end(text, place + 1, depth)
        if character == "#":
            place = _line_end(text, place)
            continue
        if character in _CLOSERS:
            closers.append(_CLOSERS[character])
        elif closers and character == closers[-1]:
            closers.pop()
        place += 1
    raise SyntaxError("f-string: expecting '}'", ("", text.count("\n", 0, place) + 1, 0, None))


def _format_end(text: str, place: int, depth: int) -> int:
    while place < len(text):
        if text[place] == "}":
            return place + 1
        place = _field_end(text, place + 1, depth + 1) if text[place] == "{" else place + 1
    raise SyntaxError("f-string: expecting '}'", ("", text.count("\n", 0, place) + 1, 0, None))


def _without_parameters(text: str) -> str:
    """Blanks the type parameters of functions, classes and aliases."""
    place = 0
    while (found := _PARAMETERS.search(text, place)) is not None:
        place = found.start("open")
        end = _closing(text, place)
        blank = "".join("\\\n" if item == "\n" else " " for item in text[place:end])
        text = f"{text[:place]}{blank}{text[end:]}"
    return text


def _closing(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
            if not depth:
                return place + 1
    return len(text)

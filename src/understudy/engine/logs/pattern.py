"""CloudWatch Logs filter patterns, compiled to a predicate over a message.

Three kinds, told apart by the first character: JSON (``{ $.level = "ERROR" }``), space-delimited
(``[ip, ..., status = 4*]``) and terms (``ERROR ?WARN -debug "a phrase" %reg.ex%``), case-sensitive. See
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
Numbers, wildcards and regular expressions compare in the same way in JSON and space-delimited patterns.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from understudy.engine.protocol import ApiError, Value

Predicate = Callable[[str], bool]

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|(\S+))')
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<regex>%(?:[^%\\]|\\.)+%)|(?P<operator>&&|\|\||!=|<=|>=|[=<>()])'
    r"|(?P<word>[^\s=<>!()&|\"%]+))"
)
_FIELD = re.compile(r'\[[^\]]*\]|"(?:[^"\\]|\\.)*"|\S+')
_COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
_MISSING = object()


def invalid(pattern: str) -> ApiError:
    """Returns AWS's refusal of a pattern."""
    return ApiError("InvalidParameterException", f"Invalid filter pattern: {pattern}")


def parse(pattern: str) -> Predicate:
    """Returns the predicate that a filter pattern stands for; an empty one accepts everything.

    Raises:
        ApiError: InvalidParameterException, the pattern cannot be read.
    """
    text = pattern.strip()
    if not text:
        return lambda _: True
    if text.startswith("{") and text.endswith("}"):
        return _json_pattern(text)
    if text.startswith("[") and text.endswith("]"):
        return _delimited_pattern(text)
    return _terms_pattern(text)


def _terms_pattern(text: str) -> Predicate:
    wanted: list[Predicate] = []
    some: list[Predicate] = []
    unwanted: list[Predicate] = []
    places = {"": wanted, "?": some, "-": unwanted}
    for sign, phrase, regex, word in _TERM.findall(text):
        places[sign].append(_term(phrase.replace('\\"', '"') or word, regex, text))
    # As on AWS, `?` counts only where every term has it.
    if some and not wanted and not unwanted:
        return lambda message: any(match(message) for match in some)
    return lambda message: (
        all(match(message) for match in wanted) and not any(match(message) for match in unwanted)
    )


def _term(text: str, regex: str, pattern: str) -> Predicate:
    if regex:
        compiled = _regex(regex, pattern)
        return lambda message: compiled.search(message) is not None
    return lambda message: text in message


def _regex(text: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as exc:
        raise invalid(pattern) from exc


def _comparison(operator: str, kind: str, text: str, pattern: str) -> Callable[[Value], bool]:
    """Returns the test of one value against ``operator text``."""
    if kind == "regex":
        compiled = _regex(text[1:-1], pattern)
        return lambda value: (compiled.search(_text(value)) is not None) == (operator == "=")
    quoted = kind == "string"
    plain = json.loads(text) if quoted else text
    number = None if quoted else _number(plain)
    if operator in ("<", ">", "<=", ">="):
        if number is None:
            raise invalid(pattern)
        return _ordering(operator, number)
    wildcard = re.compile(
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", plain))
    )

    def equal(value: Value) -> bool:
        found = _number(value) if number is not None else None
        if number is not None and found is not None:
            return found == number
        return wildcard.fullmatch(_text(value)) is not None

    return equal if operator == "=" else lambda value: not equal(value)


def _ordering(operator: str, bound: float) -> Callable[[Value], bool]:
    def test(value: Value) -> bool:
        number = _number(value)
        if number is None:
            return False
        if operator == "<":
            return number < bound
        if operator == ">":
            return number > bound
        return number <= bound if operator == "<=" else number >= bound

    return test


def _number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str, pattern: str) -> list[_Token]:
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise invalid(pattern)
        tokens.append(_Token(kind=found.lastgroup, text=found.group(found.lastgroup)))
        at = found.end()
    return tokens


Test = Callable[[Callable[[str], Value]], bool]


class _Expression:
    """Recursive descent over ``a = 1 && (b > 2 || c EXISTS)``; a test looks its operands up by name."""

    def __init__(self, text: str, pattern: str) -> None:
        self._tokens = _tokens(text, pattern)
        self._pattern = pattern
        self._at = 0

    def parse(self) -> Test:
        test = self._any()
        if self._at != len(self._tokens):
            raise invalid(self._pattern)
        return test

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise invalid(self._pattern)
        self._at += 1
        return self._tokens[self._at - 1]

    def _any(self) -> Test:
        tests = [self._all()]
        while self._peek() == "||":
            self._at += 1
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda look: any(test(look) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek() == "&&":
            self._at += 1
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda look: all(test(look) for test in tests)

    def _one(self) -> Test:
        if self._peek() == "(":
            self._at += 1
            test = self._any()
            if self._next().text != ")":
                raise invalid(self._pattern)
            return test
        name = self._next()
        if name.kind != "word":
            raise invalid(self._pattern)
        operator = self._next()
        if operator.text in _COMPARISONS:
            value = self._next()
            if value.kind == "operator":
                raise invalid(self._pattern)
            compare = _comparison(operator.text, value.kind, value.text, self._pattern)
            return lambda look: (found := look(name.text)) is not _MISSING and compare(found)
        return self._state(name.text, operator.text.upper())

    def _state(self, name: str, word: str) -> Test:
        if word == "EXISTS":
            return lambda look: look(name) is not _MISSING
        following = self._next().text.upper()
        if (word, following) == ("NOT", "EXISTS"):
            return lambda look: look(name) is _MISSING
        if word != "IS" or following not in ("TRUE", "FALSE", "NULL"):
            raise invalid(self._pattern)
        wanted = {"TRUE": True, "FALSE": False, "NULL": None}[following]
        return lambda look: look(name) is wanted


def _json_pattern(text: str) -> Predicate:
    test = _Expression(text[1:-1], text).parse()

    def matches(message: str) -> bool:
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return isinstance(document, dict | list) and test(lambda selector: _select(document, selector))

    return matches


def _select(document: Value, selector: str) -> Value:
    """Returns what ``$.a.b[0]`` names in a document, or `_MISSING`."""
    if not selector.startswith("$"):
        return _MISSING
    found = document
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", selector[1:]):
        if index:
            if not isinstance(found, list) or int(index) >= len(found):
                return _MISSING
            found = found[int(index)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return _MISSING
    return found


def _delimited_pattern(text: str) -> Predicate:
    """``[a, b = 4*, ..., last]``: fields by position, `...` for any number of them."""
    columns = [column.strip() for column in text[1:-1].split(",")]
    tests: list[tuple[str, Test | None]] = []
    for column in columns:
        name = (re.match(r"[^\s=<>!]*", column) or [""])[0]
        tests.append((name, _Expression(column, text).parse() if column != name else None))
    names = [name for name, _ in tests]

    def matches(message: str) -> bool:
        values = _assign(names, _FIELD.findall(message))
        return values is not None and all(
            test(lambda name: values.get(name, _MISSING)) for _, test in tests if test is not None
        )

    return matches


def _assign(names: list[str], fields: list[str]) -> dict[str, str] | None:
    plain = [field.strip('[]"') for field in fields]
    if "..." in names:
        at = names.index("...")
        head, tail = names[:at], names[at + 1 :]
        if len(plain) < len(head) + len(tail):
            return None
        return {
            **dict(zip(head, plain, strict=False)),
            **dict(zip(reversed(tail), reversed(plain), strict=False)),
        }
    return dict(zip(names, plain, strict=True)) if len(names) == len(plain) else None

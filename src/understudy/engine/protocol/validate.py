"""Checks decoded input against the constraints of its shape, in the words of the service it stands for.

Required members, lengths, ranges, patterns and enumerations come from botocore's models, which carry the
constraints that AWS's front ends check before the service's own code runs. A pattern that Python cannot read
as Java does is left to the operation. Texts as recorded on AWS, for Lambda and Logs:
``1 validation error detected: Value '10241' at 'memorySize' failed to satisfy constraint: Member must have
value less than or equal to 10240``; ECR words the same facts its own way.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from understudy.engine.protocol.call import ApiError, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One constraint that a value does not meet; `shown` is None for a secret value."""

    path: str
    shown: str | None
    constraint: str


Check = Callable[[Value, str, list[Problem]], None]


def show(value: Value) -> str:
    """Returns a value as AWS prints it inside a validation message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(show(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return str(value)


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def refusal(service: str, problems: list[Problem]) -> ApiError:
    """Returns the error that `service` answers for these problems."""
    if service == "ecr":
        first = problems[0]
        constraint = first.constraint.removeprefix("Member ").replace(" pattern:", "").strip()
        if constraint == "must not be null":
            return ApiError("InvalidParameterException", f"Missing required parameter '{first.path}'")
        if first.constraint.startswith("Member must satisfy regular expression pattern: "):
            pattern = first.constraint.split(": ", 1)[1]
            constraint = f"must satisfy regular expression '{pattern}'"
        return ApiError(
            "InvalidParameterException",
            f"Invalid parameter at '{first.path}' failed to satisfy constraint: '{constraint}'",
        )
    code = {"logs": "InvalidParameterException", "apigatewayv2": "BadRequestException"}.get(
        service, "ValidationException"
    )
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    return ApiError(code, count + "; ".join(_sentence(problem) for problem in problems))


def _sentence(problem: Problem) -> str:
    if problem.shown is None:
        value = "Value"
    else:
        value = "Value null" if problem.shown == "null" else f"Value '{problem.shown}'"
    return f"{value} at '{problem.path}' failed to satisfy constraint: {problem.constraint}"


class CheckCompiler:
    """Compiles the constraints of shapes of one service; a shape without any compiles to None."""

    def __init__(self) -> None:
        self._structures: dict[str, Check | None] = {}

    def check(self, shape: Shape) -> Check | None:
        """Returns the function that appends every problem of a value, or None when nothing can be wrong."""
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        own = _constraints(shape)
        if isinstance(shape, ListShape):
            return _both(own, _items(self.check(shape.member)))
        if isinstance(shape, MapShape):
            keys, values = self.check(shape.key), self.check(shape.value)
            return _both(
                own, _entries(keys, values, nested=shape.value.type_name in ("structure", "list", "map"))
            )
        return own

    def _structure(self, shape: StructureShape) -> Check | None:
        if shape.name in self._structures:
            return self._structures[shape.name]
        required = tuple(shape.required_members)
        members: list[tuple[str, str, Check]] = []

        def check(value: Value, path: str, problems: list[Problem]) -> None:
            prefix = f"{path}." if path else ""
            for name in required:
                if name not in value:
                    place = prefix + _lower_first(name)
                    problems.append(Problem(path=place, shown="null", constraint="Member must not be null"))
            for name, place, verify in members:
                if name in value:
                    verify(value[name], prefix + place, problems)

        self._structures[shape.name] = check
        for name, member in shape.members.items():
            verify = self.check(member)
            if verify is not None:
                members.append((name, _lower_first(name), verify))
        if not required and not members:
            self._structures[shape.name] = None
        return self._structures[shape.name]


def _both(first: Check | None, second: Check | None) -> Check | None:
    if first is None or second is None:
        return first or second

    def check(value: Value, path: str, problems: list[Problem]) -> None:
        first(value, path, problems)
        second(value, path, problems)

    return check


def _items(item: Check | None) -> Check | None:
    if item is None:
        return None

    def check(value: Value, path: str, problems: list[Problem]) -> None:
        for position, member in enumerate(value, 1):
            item(member, f"{path}.{position}.member", problems)

    return check


def _entries(keys: Check | None, values: Check | None, *, nested: bool) -> Check | None:
    if keys is None and values is None:
        return None

    def check(value: Value, path: str, problems: list[Problem]) -> None:
        for word, verify, members in (("key", keys, value.keys()), ("value", values, value.values())):
            if verify is None:
                continue
            if word == "value" and nested:
                for key, member in value.items():
                    verify(member, f"{path}.{key}.member", problems)
                continue
            found: list[Problem] = []
            for member in members:
                verify(member, path, found)
            if found:
                rules = ", ".join(dict.fromkeys(problem.constraint for problem in found))
                shown = None if found[0].shown is None else show(value)
                text = f"Map {word} must satisfy constraint: [{rules}]"
                problems.append(Problem(path=path, shown=shown, constraint=text))

    return check


def _constraints(shape: Shape) -> Check | None:
    """Returns the check of a shape's own length, range, pattern and enumeration."""
    rules = [rule for rule in (_bounds(shape), _pattern(shape), _enumeration(shape)) if rule is not None]
    if not rules:
        return None
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: Value, path: str, problems: list[Problem]) -> None:
        for rule in rules:
            constraint = rule(value)
            if constraint:
                shown = None if secret else show(value)
                problems.append(Problem(path=path, shown=shown, constraint=constraint))

    return check


Rule = Callable[[Value], str | None]


def _bounds(shape: Shape) -> Rule | None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is None and high is None:
        return None
    numeric = shape.type_name in ("integer", "long", "short", "byte", "float", "double")
    if not numeric and shape.type_name not in ("string", "blob", "list", "map"):
        return None
    word = "value" if numeric else "length"

    def rule(value: Value) -> str | None:
        size = value if numeric else len(value)
        if low is not None and size < low:
            return f"Member must have {word} greater than or equal to {low}"
        if high is not None and size > high:
            return f"Member must have {word} less than or equal to {high}"
        return None

    return rule


def _pattern(shape: Shape) -> Rule | None:
    pattern = shape.metadata.get("pattern")
    if pattern is None or shape.type_name != "string":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            compiled = re.compile(pattern)
    except (re.error, FutureWarning):
        return None
    text = f"Member must satisfy regular expression pattern: {pattern}"
    return lambda value: None if compiled.fullmatch(value) else text


def _enumeration(shape: Shape) -> Rule | None:
    if not isinstance(shape, StringShape) or not shape.enum:
        return None
    allowed = shape.enum
    text = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    members = frozenset(allowed)
    return lambda value: None if value in members else text

"""Filter criteria of event source mappings: which records a pattern lets through.

Pure. The rules are those of https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html:
equals, prefix, suffix, equals-ignore-case, anything-but, numeric, exists and ``$or``. What that page does not
list is refused when the mapping is made, as Lambda does.
"""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from understudy.engine.functions import errors

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MISSING = object()


def check(text: object) -> str:
    """`text`, when it is a pattern.

    Raises:
        ApiError: it is none.
    """
    try:
        pattern = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        pattern = None
    if not isinstance(text, str) or not isinstance(pattern, dict) or not _is_pattern(pattern):
        raise errors.invalid_parameter("Invalid filter pattern definition.")
    return text


def passes(patterns: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> bool:
    """Whether one of `patterns` matches `record`, or there are none."""
    return not patterns or any(matches(pattern, record) for pattern in patterns)


def matches(pattern: Mapping[str, Any], record: object) -> bool:
    """Whether every field of `pattern` is fulfilled by `record`."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(each, record) for each in wanted):
                return False
            continue
        found = record.get(name, _MISSING) if isinstance(record, Mapping) else _MISSING
        if isinstance(wanted, Mapping):
            # A list in a record matches when one of its elements does.
            candidates = found if isinstance(found, list) else [found]
            if not any(matches(wanted, each) for each in candidates):
                return False
        elif not _leaf(wanted, found):
            return False
    return True


def _leaf(rules: Sequence[Any], found: object) -> bool:
    candidates = found if isinstance(found, list) else [found]
    return any(_rule(rule, each) for rule in rules for each in candidates)


def _rule(rule: object, value: object) -> bool:
    if not isinstance(rule, Mapping):
        return _equal(rule, value)
    ((kind, operand),) = rule.items()
    return _RULES[kind](operand, value)


def _equal(wanted: object, value: object) -> bool:
    return wanted == value and isinstance(wanted, bool) is isinstance(value, bool)


def _prefix(operand: str, value: object) -> bool:
    return isinstance(value, str) and value.startswith(operand)


def _suffix(operand: str, value: object) -> bool:
    return isinstance(value, str) and value.endswith(operand)


def _ignoring_case(operand: str, value: object) -> bool:
    return isinstance(value, str) and value.casefold() == operand.casefold()


def _anything_but(operand: object, value: object) -> bool:
    if value is _MISSING:
        return False
    if isinstance(operand, Mapping):
        return not _rule(operand, value)
    return not any(_equal(each, value) for each in (operand if isinstance(operand, list) else [operand]))


def _numeric(operand: Sequence[Any], value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return all(_COMPARE[sign](value, bound) for sign, bound in pairs)


def _exists(operand: bool, value: object) -> bool:
    # Only leaves exist: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pattern-operators.html
    return (value is not _MISSING and not isinstance(value, Mapping)) is operand


_RULES: Mapping[str, Callable[[Any, object], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
}


def _is_pattern(pattern: Mapping[str, Any]) -> bool:
    return bool(pattern) and all(_is_field(name, wanted) for name, wanted in pattern.items())


def _is_field(name: str, wanted: object) -> bool:
    if name == "$or":
        return isinstance(wanted, list) and bool(wanted) and all(map(_is_branch, wanted))
    if isinstance(wanted, dict):
        return _is_pattern(wanted)
    return isinstance(wanted, list) and bool(wanted) and all(map(_is_rule, wanted))


def _is_branch(branch: object) -> bool:
    return isinstance(branch, dict) and _is_pattern(branch)


def _is_rule(rule: object) -> bool:
    if isinstance(rule, list):
        return False
    if not isinstance(rule, dict):
        return True
    if len(rule) != 1:
        return False
    ((kind, operand),) = rule.items()
    return kind in _RULES and _is_operand(kind, operand)


def _is_operand(kind: str, operand: object) -> bool:
    if kind == "exists":
        return isinstance(operand, bool)
    if kind == "numeric":
        return _is_range(operand)
    if kind == "anything-but":
        return not isinstance(operand, dict) or (_is_rule(operand) and operand.keys() <= {"prefix", "suffix"})
    return isinstance(operand, str)


def _is_range(operand: object) -> bool:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    numbers = (isinstance(each, int | float) and not isinstance(each, bool) for each in operand[1::2])
    return all(isinstance(sign, str) and sign in _COMPARE for sign in operand[::2]) and all(numbers)

import json
from typing import Any

import pytest

from understudy.engine.functions.sources import patterns
from understudy.engine.protocol import ApiError

RECORD = {
    "eventName": "INSERT",
    "body": {"size": 7, "name": "Blue", "tags": ["a", "b"], "empty": "", "none": None, "flag": True},
    "rows": [{"id": 1}, {"id": 2}],
}


@pytest.mark.parametrize(
    "pattern",
    [
        {"eventName": ["INSERT", "MODIFY"]},
        {"body": {"size": [7]}},
        {"body": {"size": [7.0]}},
        {"body": {"flag": [True]}},
        {"body": {"empty": [""]}},
        {"body": {"none": [None]}},
        {"body": {"tags": ["b"]}},
        {"body": {"name": [{"prefix": "Bl"}]}},
        {"body": {"name": [{"suffix": "ue"}]}},
        {"body": {"name": [{"equals-ignore-case": "bLUE"}]}},
        {"body": {"name": [{"anything-but": ["Red", "Green"]}]}},
        {"body": {"name": [{"anything-but": {"prefix": "R"}}]}},
        {"body": {"size": [{"numeric": [">", 5, "<=", 7]}]}},
        {"body": {"size": [{"exists": True}]}},
        {"body": {"other": [{"exists": False}]}},
        {"absent": {"deep": [{"exists": False}]}},
        {"rows": {"id": [2]}},
        {"$or": [{"eventName": ["REMOVE"]}, {"body": {"size": [7]}}]},
    ],
    ids=json.dumps,
)
def test_lets_through(pattern: dict[str, Any]) -> None:
    assert patterns.check(json.dumps(pattern))
    assert patterns.matches(pattern, RECORD)


@pytest.mark.parametrize(
    "pattern",
    [
        {"eventName": ["REMOVE"]},
        {"body": {"size": ["7"]}},
        {"body": {"flag": [1]}},
        {"body": {"name": [{"prefix": "bl"}]}},
        {"body": {"size": [{"suffix": "7"}]}},
        {"body": {"name": [{"anything-but": "Blue"}]}},
        {"body": {"other": [{"anything-but": ["x"]}]}},
        {"body": {"size": [{"numeric": [">", 7]}]}},
        {"body": {"name": [{"numeric": ["=", 7]}]}},
        {"body": {"other": [{"exists": True}]}},
        {"body": [{"exists": True}]},
        {"eventName": ["INSERT"], "body": {"size": [8]}},
        {"eventName": {"deep": ["INSERT"]}},
        {"$or": [{"eventName": ["REMOVE"]}, {"body": {"size": [8]}}]},
    ],
    ids=json.dumps,
)
def test_holds_back(pattern: dict[str, Any]) -> None:
    assert patterns.check(json.dumps(pattern))
    assert not patterns.matches(pattern, RECORD)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"a": "b"}',
        '{"a": []}',
        '{"a": {}}',
        '{"a": [["b"]]}',
        '{"a": [{"wildcard": "*"}]}',
        '{"a": [{"prefix": 1}]}',
        '{"a": [{"exists": "yes"}]}',
        '{"a": [{"numeric": ["~", 1]}]}',
        '{"a": [{"numeric": [">", "1"]}]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}',
        '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}',
        '{"$or": []}',
        '{"$or": ["a"]}',
    ],
)
def test_refuses_what_is_no_pattern(text: object) -> None:
    with pytest.raises(ApiError, match="Invalid filter pattern definition"):
        patterns.check(text)


def test_without_patterns_everything_passes() -> None:
    assert patterns.passes([], RECORD)
    assert patterns.passes([{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}], RECORD)
    assert not patterns.passes([{"eventName": ["REMOVE"]}], RECORD)

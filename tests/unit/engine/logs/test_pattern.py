"""Filter patterns: the examples of AWS's documentation and the corners around them."""

import json

import pytest

from understudy.engine.logs import pattern as logs_pattern
from understudy.engine.protocol import ApiError

LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
DOCUMENT = json.dumps(
    {
        "level": "ERROR",
        "status": 503,
        "latency": 1.5,
        "ok": False,
        "none": None,
        "user": {"name": "ada", "roles": ["admin", "dev"]},
        "path": "/api/v2/tickers",
    }
)
TERMS = [
    ("", "anything", True),
    ("ERROR", "[ERROR] boom", True),
    ("ERROR", "[error] boom", False),
    ("ERROR boom", "[ERROR] boom", True),
    ("ERROR boom", "[ERROR] bang", False),
    ("?ERROR ?WARN", "[WARN] x", True),
    ("?ERROR ?WARN", "[INFO] x", False),
    ("ERROR -boom", "[ERROR] boom", False),
    ("ERROR -boom", "[ERROR] bang", True),
    ('"Task timed out"', "x Task timed out after 3 s", True),
    ('"Task timed out"', "Task has timed out", False),
    ('-"Task timed out"', "fine", True),
    ("%ERR.R \\d+%", "ERROR 42", True),
    ("%ERR.R \\d+%", "ERROR x", False),
]
JSON = [
    ('{ $.level = "ERROR" }', True),
    ("{ $.level = ERROR }", True),
    ('{ $.level != "ERROR" }', False),
    ('{ $.level = "ERR*" }', True),
    ("{ $.status = 503 }", True),
    ("{ $.status = 503.0 }", True),
    ("{ $.status > 499 && $.status < 600 }", True),
    ("{ $.status >= 504 || $.latency <= 1.5 }", True),
    ('{ ($.status = 1 || $.status = 503) && $.user.name = "ada" }', True),
    ('{ $.user.roles[1] = "dev" }', True),
    ('{ $.user.roles[2] = "dev" }', False),
    ("{ $.missing = 1 }", False),
    ("{ $.missing != 1 }", False),
    ("{ $.missing NOT EXISTS }", True),
    ("{ $.level EXISTS }", True),
    ("{ $.ok IS FALSE }", True),
    ("{ $.none IS NULL }", True),
    ("{ $.ok IS TRUE }", False),
    ("{ $.path = %^/api/v[0-9]+/% }", True),
    ("{ $.level > 3 }", False),
    ('{ $.user.name.first = "a" }', False),
]
DELIMITED = [
    ("[ip, id, user, timestamp, request, status, size]", True),
    ("[ip, id, user, timestamp, request, status = 404, size]", True),
    ("[ip, id, user, timestamp, request, status = 4*, size > 1000]", True),
    ("[ip, id, user, timestamp, request, status = 200, size]", False),
    ("[ip, ..., size = 1534]", True),
    ("[..., status = 404 || status = 410, size]", True),
    ("[ip, user]", False),
    ('[ip, id, user, timestamp, request = "GET*", ...]', True),
]


@pytest.mark.parametrize(("pattern", "message", "expected"), TERMS)
def test_terms(pattern: str, message: str, expected: bool) -> None:
    assert logs_pattern.parse(pattern)(message) is expected


@pytest.mark.parametrize(("pattern", "expected"), JSON)
def test_json(pattern: str, expected: bool) -> None:
    assert logs_pattern.parse(pattern)(DOCUMENT) is expected


def test_json_never_matches_plain_text() -> None:
    assert not logs_pattern.parse("{ $.a NOT EXISTS }")("START RequestId: x")
    assert not logs_pattern.parse("{ $.a NOT EXISTS }")("12")


@pytest.mark.parametrize(("pattern", "expected"), DELIMITED)
def test_space_delimited(pattern: str, expected: bool) -> None:
    assert logs_pattern.parse(pattern)(LINE) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a = }",
        "{ $.a }",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a < x }",
        "{ = 1 }",
        "{ $.a = %(% }",
        "{ $.a IS 3 }",
        "{ $.a = 1 $.b = 2 }",
        "%(%",
        "{ $.a = ! }",
        "{ $.a = = }",
    ],
)
def test_refuses_what_it_cannot_read(pattern: str) -> None:
    with pytest.raises(ApiError, match="Invalid filter pattern"):
        logs_pattern.parse(pattern)

import base64
import json

import pytest

from understudy.engine.executeapi.http import HttpRequest
from understudy.engine.httpapi import events
from understudy.engine.httpapi.events import MalformedResponseError, Routed

ROUTED = Routed(
    account_id="000000000000",
    api_id="abc123",
    stage="$default",
    domain="abc123.execute-api.localhost:4566",
    route_key="$default",
    path_parameters={},
    stage_variables={},
    request_id="request-1",
    epoch_s=1_583_348_638.39,
    trace_id="Root=1-5e5fffde-000000000000000000000000",
)


def request(**changes: object) -> HttpRequest:
    values: dict[str, object] = {
        "method": "GET",
        "path": "/my path",
        "query": "a=1&a=2&b=%20x&empty=",
        "headers": [
            (b"host", b"abc123.execute-api.localhost:4566"),
            (b"cookie", b"one=1; two=2"),
            (b"x-many", b"1"),
            (b"x-many", b"2"),
            (b"user-agent", b"curl/8"),
        ],
        "body": b"",
        "source_ip": "127.0.0.1",
        "protocol": "HTTP/1.1",
    }
    return HttpRequest(**(values | changes))  # type: ignore[arg-type]


def test_event_v2_joins_values_and_splits_cookies() -> None:
    event = events.event_v2(request(), ROUTED)

    assert event["version"] == "2.0"
    assert event["rawPath"] == "/my path"
    assert event["rawQueryString"] == "a=1&a=2&b=%20x&empty="
    assert event["queryStringParameters"] == {"a": "1,2", "b": " x", "empty": ""}
    assert event["cookies"] == ["one=1", "two=2"]
    assert event["headers"]["x-many"] == "1,2"
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-port"] == "4566"
    assert event["requestContext"]["time"] == "04/Mar/2020:19:03:58 +0000"
    assert event["requestContext"]["timeEpoch"] == 1_583_348_638_390
    assert event["requestContext"]["domainPrefix"] == "abc123"
    assert "body" not in event
    assert "pathParameters" not in event


def test_event_v1_keeps_single_and_multiple_values() -> None:
    event = events.event_v1(request(), ROUTED)

    assert event["version"] == "1.0"
    assert event["headers"]["X-Many"] == "2"
    assert event["multiValueHeaders"]["X-Many"] == ["1", "2"]
    assert event["queryStringParameters"]["a"] == "2"
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "2"]
    assert event["pathParameters"] is None
    assert event["body"] is None


@pytest.mark.parametrize(
    ("content_type", "body", "expected", "encoded"),
    [
        (b"application/json; charset=utf-8", b'{"a":1}', '{"a":1}', False),
        (b"text/csv", b"a,b", "a,b", False),
        (b"application/x-www-form-urlencoded", b"a=1", base64.b64encode(b"a=1").decode(), True),
        (b"application/octet-stream", b"\xff", base64.b64encode(b"\xff").decode(), True),
        (b"", b"x", base64.b64encode(b"x").decode(), True),
        (b"text/plain", b"\xff\xfe", base64.b64encode(b"\xff\xfe").decode(), True),
    ],
)
def test_a_body_is_text_for_text_types_only(
    content_type: bytes, body: bytes, expected: str, encoded: bool
) -> None:
    event = events.event_v2(request(body=body, headers=[(b"content-type", content_type)]), ROUTED)

    assert (event["body"], event["isBase64Encoded"]) == (expected, encoded)


def test_a_named_stage_is_part_of_the_path() -> None:
    routed = Routed(**{name: getattr(ROUTED, name) for name in Routed.__slots__} | {"stage": "dev"})

    assert events.event_v2(request(path="/x"), routed)["rawPath"] == "/dev/x"


def test_an_answer_without_status_code_becomes_the_json_body() -> None:
    response = events.parse_response(b'{"hello": "world"}', "2.0")

    assert response.status == 200
    assert response.headers == [(b"content-type", b"application/json")]
    assert json.loads(response.body) == {"hello": "world"}


def test_a_string_answer_is_the_body() -> None:
    assert events.parse_response(b'"hi"', "2.0").body == b"hi"


def test_a_full_answer_sets_status_headers_cookies_and_binary_body() -> None:
    answer = {
        "statusCode": "201",
        "headers": {"X-A": True, "Content-Length": "999"},
        "cookies": ["a=1", "b=2"],
        "body": base64.b64encode(b"\x00\xff").decode(),
        "isBase64Encoded": True,
    }

    response = events.parse_response(json.dumps(answer).encode(), "2.0")

    assert response.status == 201
    assert response.body == b"\x00\xff"
    assert (b"x-a", b"true") in response.headers
    assert [value for name, value in response.headers if name == b"set-cookie"] == [b"a=1", b"b=2"]
    assert not any(name == b"content-length" for name, _ in response.headers)


@pytest.mark.parametrize(("version", "names"), [("1.0", {b"x-many"}), ("2.0", {b"set-cookie"})])
def test_each_format_has_its_own_lists_of_headers(version: str, names: set[bytes]) -> None:
    answer = {"statusCode": 200, "multiValueHeaders": {"x-many": ["1"]}, "cookies": ["a=1"]}

    response = events.parse_response(json.dumps(answer).encode(), version)

    assert {name for name, _ in response.headers} == {*names, b"content-type"}


def test_a_header_cannot_smuggle_a_line_break() -> None:
    response = events.parse_response(
        json.dumps({"statusCode": 200, "headers": {"x": "a\r\nb: c"}}).encode(), "2.0"
    )

    assert (b"x", b"a  b: c") in response.headers


@pytest.mark.parametrize(
    ("payload", "version"),
    [
        (b"not json", "2.0"),
        (b'{"a": 1}', "1.0"),
        (b'{"errorMessage": "test fake error message"}', "2.0"),
        (b'{"statusCode": 200, "cookies": {"a": "b"}}', "2.0"),
        (b"null", "1.0"),
        (b'{"statusCode": "many"}', "2.0"),
        (b'{"statusCode": 99}', "2.0"),
        (b'{"statusCode": true}', "2.0"),
        (b'{"statusCode": 200, "body": {"a": 1}}', "2.0"),
        (b'{"statusCode": 200, "body": "%%", "isBase64Encoded": true}', "2.0"),
        (b'{"statusCode": 200, "headers": {"a": ["b"]}}', "2.0"),
        (b'{"statusCode": 200, "multiValueHeaders": {"a": "b"}}', "1.0"),
    ],
)
def test_rejects_an_answer_that_is_no_response(payload: bytes, version: str) -> None:
    with pytest.raises(MalformedResponseError):
        events.parse_response(payload, version)

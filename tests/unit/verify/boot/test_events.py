"""Synthetic events and the routes of an OpenAPI document."""

import base64
import json

import pytest

from understudy.verify.boot import events


def test_a_get_is_a_payload_of_format_two() -> None:
    event = json.loads(events.get("/health").payload)
    assert event["version"] == "2.0"
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/health"
    assert event["requestContext"]["http"]["method"] == "GET"
    assert "multiValueHeaders" not in event


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b'{"statusCode": 200}', 200),
        (b'{"statusCode": "404"}', 404),
        (b'{"statusCode": "many"}', 0),
        (b'{"statusCode": null}', 0),
        (b'"text"', 0),
        (b"[]", 0),
        (b"not json", 0),
    ],
)
def test_status_of_an_answer(answer: bytes, status: int) -> None:
    assert events.status_code(answer) == status


def test_body_is_decoded() -> None:
    packed = base64.b64encode(b"\xff").decode()
    assert events.body(json.dumps({"body": packed, "isBase64Encoded": True}).encode()) == b"\xff"
    assert events.body(b'{"body": "text"}') == b"text"
    assert events.body(b'{"body": 1}') == b""
    assert events.body(b"[]") == b""


def test_parameterless_gets_are_listed_health_first() -> None:
    required = {"parameters": [{"name": "q", "required": True}]}
    document = {
        "paths": {
            "/items": {"get": {"parameters": [{"name": "limit", "required": False}]}},
            "/items/{id}": {"get": {}},
            "/search": {"get": required},
            "/shared": {"get": {}, **required},
            "/logout": {"get": {}},
            "/write": {"post": {}},
            "/odd": "text",
            "/": {"get": {}},
            "/health": {"get": {}},
        }
    }
    assert events.paths(json.dumps(document).encode()) == ("/health", "/", "/items")


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b'{"paths": []}'])
def test_what_is_no_openapi_document_lists_nothing(text: bytes) -> None:
    assert events.paths(text) == ()

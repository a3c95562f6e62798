import base64
import gzip
import json

import pytest

from understudy.engine.executeapi.http import HttpResponse
from understudy.engine.restapi import responses
from understudy.engine.restapi.responses import MalformedAnswerError

DATA = base64.b64encode(b"test-data").decode()
JSON = (b"content-type", b"application/json")


@pytest.mark.parametrize(
    ("answer", "status", "headers", "body"),
    [
        ({"statusCode": 200}, 200, [JSON], b""),
        (
            {"headers": {"test-header": "value", "header-bool": True}},
            200,
            [(b"test-header", b"value"), (b"header-bool", b"true"), JSON],
            b"",
        ),
        ({"statusCode": 200, "headers": None}, 200, [JSON], b""),
        ({"statusCode": "201"}, 201, [JSON], b""),
        ({}, 200, [JSON], b""),
        ({"body": DATA, "isBase64Encoded": True}, 200, [JSON], DATA.encode()),
        (
            {"multiValueHeaders": {"tesT-Multi": ["multi"]}, "headers": {"test-multi": "solo"}},
            200,
            [(b"test-multi", b"multi"), (b"test-multi", b"solo"), JSON],
            b"",
        ),
        ({"headers": {"Content-Type": "text/html"}}, 200, [(b"content-type", b"text/html")], b""),
    ],
)
def test_answers_as_recorded_on_aws(
    answer: object, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    assert responses.parse(json.dumps(answer).encode(), binary=False) == HttpResponse(
        status=status, headers=headers, body=body
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"garbage",
        b'"justAString"',
        b"[]",
        b'{"statusCode": 200, "wrongValue": "value"}',
        b'{"statusCode": "test"}',
        b'{"statusCode": true}',
        b'{"statusCode": 42}',
        b'{"multiValueHeaders": {"a": "value1"}}',
        b'{"headers": {"a": {}}}',
        b'{"headers": []}',
        b'{"body": {"a": 1}}',
    ],
)
def test_malformed_answers_as_recorded_on_aws(payload: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        responses.parse(payload, binary=False)


def test_base64_is_decoded_where_the_client_takes_binary() -> None:
    answer = json.dumps({"body": DATA, "isBase64Encoded": True}).encode()

    assert responses.parse(answer, binary=True).body == b"test-data"
    with pytest.raises(MalformedAnswerError):
        responses.parse(b'{"body": "no base64", "isBase64Encoded": true}', binary=True)


@pytest.mark.parametrize(
    ("media_type", "listed", "matched"),
    [
        ("image/png", ["image/png"], True),
        ("image/png; q=1, text/html", ["image/png"], True),
        ("text/html, image/png", ["image/png"], False),
        ("image/png", ["image/*"], True),
        ("image/png", [], False),
        (None, ["image/png"], False),
        (None, ["*/*"], True),
    ],
)
def test_the_first_media_type_decides(media_type: str | None, listed: list[str], matched: bool) -> None:
    assert responses.matches(media_type, listed) is matched


def test_a_large_body_is_compressed_for_who_takes_it() -> None:
    response = HttpResponse(status=200, headers=[], body=b"x" * 100)

    packed = responses.compressed(response, "br, gzip", 100)

    assert gzip.decompress(packed.body) == response.body
    assert (b"content-encoding", b"gzip") in packed.headers
    assert responses.compressed(response, "br", 100) is response
    assert responses.compressed(response, "gzip", 101) is response
    assert responses.compressed(response, "gzip", None) is response

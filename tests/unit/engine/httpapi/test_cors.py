import pytest

from understudy.engine.httpapi import cors

CORS = {
    "AllowOrigins": ["https://app.example", "https://*"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["x-user-id"],
    "MaxAge": 60,
    "AllowCredentials": True,
    "ExposeHeaders": ["etag"],
}


def test_a_preflight_answer_names_what_is_allowed() -> None:
    headers = dict(cors.response_headers(CORS, "https://app.example", preflight=True))

    assert headers[b"access-control-allow-origin"] == b"https://app.example"
    assert headers[b"access-control-allow-methods"] == b"GET,POST"
    assert headers[b"access-control-max-age"] == b"60"
    assert headers[b"access-control-allow-credentials"] == b"true"
    assert b"access-control-expose-headers" not in headers


@pytest.mark.parametrize("origin", [None, "http://evil.example"])
def test_a_foreign_origin_gets_no_headers(origin: str | None) -> None:
    assert cors.response_headers(CORS, origin, preflight=True) == []


def test_a_star_allows_every_origin() -> None:
    headers = cors.response_headers({"AllowOrigins": ["*"]}, "http://any.example", preflight=False)

    assert headers == [(b"access-control-allow-origin", b"*")]


@pytest.mark.parametrize(
    ("method", "names", "expected"),
    [
        ("OPTIONS", ["origin", "access-control-request-method"], True),
        ("OPTIONS", ["origin"], False),
        ("GET", ["origin", "access-control-request-method"], False),
    ],
)
def test_only_a_full_preflight_is_one(method: str, names: list[str], expected: bool) -> None:
    assert cors.is_preflight(method, dict.fromkeys(names, "x")) is expected

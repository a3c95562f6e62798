"""What the proxy makes of a request before any socket is touched."""

from tests.fakes.asgi import scope
from understudy.engine.delegate.proxy import HttpProxy


def test_a_client_cannot_forge_an_added_header() -> None:
    proxy = HttpProxy("127.0.0.1", 1, extra_headers=[(b"x-token", b"real")])
    head = proxy._request_head(scope("GET", "/p", {"x-token": "forged"}, "q=1"), b"")
    assert head == b"GET /p?q=1 HTTP/1.1\r\nhost: localhost:4566\r\nx-token: real\r\n\r\n"

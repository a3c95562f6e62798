"""Plain requests to a real server on this machine; a proxy of the environment must not be asked."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from understudy.errors import UnderstudyError
from understudy.targets import http as requests

ANSWERS = {
    "/json": (200, b'{"a": [1]}'),
    "/text": (200, b"hello"),
    "/missing": (404, b"no such page"),
    "/broken": (502, b'{"message":"Internal server error"}'),
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_document_is_read_past_the_proxy(url: str) -> None:
    assert requests.get_json(f"{url}/json") == {"a": [1]}


@pytest.mark.parametrize(("path", "there"), [("/json", True), ("/missing", False)])
def test_any_answer_of_the_app_counts(path: str, there: bool, url: str) -> None:
    assert requests.first_answer(url + path) is there


def test_a_server_error_is_told_with_its_body(url: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        requests.first_answer(f"{url}/broken")

    assert caught.value.message == f'{url}/broken answers 502: {{"message":"Internal server error"}}'
    assert caught.value.hint == "./understudy logs"


def test_no_answer_is_told() -> None:
    with pytest.raises(UnderstudyError, match="does not answer"):
        requests.first_answer("http://127.0.0.1:9/")


def test_what_is_no_http_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(UnderstudyError, match="does not answer"):
            requests.first_answer(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


@pytest.mark.parametrize("path", ["/missing", "/text"])
def test_no_document_is_told(path: str, url: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        requests.get_json(url + path)

    assert (caught.value.code, caught.value.where) == ("no-document", url + path)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [("/text", 200, "hello"), ("/missing", 404, "no such page"), ("/broken", 502, '{"message"')],
)
def test_an_answer_is_what_it_is(path: str, status: int, text: str, url: str) -> None:
    found = requests.answer(url + path, 60)
    assert found.status == status
    assert found.text.startswith(text)
    assert 0 < found.seconds < 60


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = requests.answer(f"http://127.0.0.1:{probe.getsockname()[1]}/", 5)
    assert found.status == 0
    assert "refused" in found.text

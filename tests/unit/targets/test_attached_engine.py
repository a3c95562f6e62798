import http.server
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from understudy.engine.listen import PortInUseError
from understudy.targets import http as plain
from understudy.targets.attached_engine import AttachedEngine


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"host": self.headers["Host"]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:  # type: ignore[override]
        pass


@pytest.fixture
def remote() -> Iterator[int]:
    """Port of somebody else's engine, which answers with the host that it was asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_answers_at_the_project_s_own_endpoint(remote: int) -> None:
    engine = AttachedEngine(host="127.0.0.1", remote_port=remote, port=0)

    engine.launch()
    endpoint = engine.start()

    assert endpoint != f"http://localhost:{remote}"
    assert plain.get_json(f"{endpoint}/") == {"host": endpoint.removeprefix("http://")}
    assert engine.is_alive()


def test_an_answer_reaches_who_has_said_all(remote: int) -> None:
    engine = AttachedEngine(host="127.0.0.1", remote_port=remote, port=0)
    engine.launch()

    with socket.create_connection(("127.0.0.1", int(engine.endpoint.rpartition(":")[2]))) as client:
        client.sendall(b"GET / HTTP/1.0\r\nHost: half\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: client.recv(4096), b""))

    assert said.endswith(b'{"host": "half"}')


def test_needs_no_relay_where_the_engine_listens_on_the_project_s_port(remote: int) -> None:
    engine = AttachedEngine(host="localhost", remote_port=remote, port=remote)

    engine.launch()

    assert engine.start() == f"http://localhost:{remote}"


def test_refuses_a_port_that_somebody_else_has(remote: int) -> None:
    with pytest.raises(PortInUseError):
        AttachedEngine(host="engine", remote_port=4566, port=remote).launch()


def test_is_dead_when_nothing_listens_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert not AttachedEngine(host="127.0.0.1", remote_port=closed.getsockname()[1], port=0).is_alive()

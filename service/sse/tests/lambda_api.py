"""The Runtime API as a small real server."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Posted:
    """What the runtime posted: its path, its headers, its body as it came, its trailers."""

    def __init__(self, path: str, headers: Mapping[str, str]) -> None:
        self.path = path
        self.headers = headers
        self.chunks: list[bytes] = []
        self.trailers: dict[str, str] = {}
        self.arrived = threading.Semaphore(0)

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class Lambda:
    """Hands out `events`, one per `/next`, and keeps what is posted."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.posted: list[Posted] = []
        self.began = threading.Semaphore(0)
        lambda_ = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not lambda_.events:
                    self.close_connection = True
                    return
                event = lambda_.events.pop(0)
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "r-1")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                posted = Posted(self.path, {name.lower(): value for name, value in self.headers.items()})
                lambda_.posted.append(posted)
                lambda_.began.release()
                if posted.headers.get("transfer-encoding") == "chunked":
                    self._chunked(posted)
                else:
                    posted.chunks.append(self.rfile.read(int(posted.headers["content-length"])))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _chunked(self, posted: Posted) -> None:
                while size := int(self.rfile.readline(), 16):
                    posted.chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                    posted.arrived.release()
                while line := self.rfile.readline().strip():
                    name, _, value = line.decode().partition(": ")
                    posted.trailers[name.lower()] = value

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Lambda":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

"""Real registries on loopback for contract tests, and a door in front of one that breaks connections."""

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.ports import free_port
from tests.tools import require_tool

USER, PASSWORD = "team", "correct horse"
# bcrypt of PASSWORD, cost 4.
HTPASSWD = "team:$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e\n"


@contextlib.contextmanager
def docker_registry(folder: Path, *, password: bool = False) -> Iterator[str]:
    """Runs Debian's docker-registry on loopback and yields its host and port."""
    port = free_port()
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if password:
        (folder / "htpasswd").write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    (folder / "registry.yml").write_text(json.dumps(config))
    with (folder / "registry.log").open("wb") as log:
        server = subprocess.Popen(
            [require_tool("docker-registry"), "serve", str(folder / "registry.yml")], stdout=log, stderr=log
        )
        try:
            _await_port(port, folder / "registry.log")
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


class BreakingDoor:
    """A door to `host` that breaks the first `times` connections that carry this many bytes one way."""

    def __init__(
        self, host: str, *, upstream_bytes: int = 0, downstream_bytes: int = 0, times: int = 1
    ) -> None:
        self._host = host
        self._times = times
        self._left = {"up": upstream_bytes, "down": downstream_bytes}
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._door.settimeout(0.05)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _start(self, target: object, *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments))  # type: ignore[arg-type]
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                inside, _ = self._door.accept()
                inside.settimeout(None)
                name, _, port = self._host.partition(":")
                outside = socket.create_connection((name, int(port)))
                self._start(self._pump, inside, outside, "up")
                self._start(self._pump, outside, inside, "down")

    def _pump(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            moved = 0
            while data := source.recv(65536):
                moved += len(data)
                if self._left[way] and self._times > 0 and moved > self._left[way]:
                    self._times -= 1
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        # The other direction reads from `source` no more once both ends are shut; each pump closes its own.
        with contextlib.suppress(OSError):
            source.close()


def _await_port(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"docker-registry does not listen: {log.read_text()}")

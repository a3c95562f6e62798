"""The development server: the app of an image under uvicorn with reload, inside that same image's root.

Same files, same interpreter, same user and read-only root as the function, with the source mounted over the
task root; no memory limit and no timeout, because a debugger is welcome.
"""

import signal
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from understudy.errors import EnvironmentProblemError
from understudy.image import rootfs
from understudy.image.model import Image
from understudy.image.store import Store
from understudy.sandbox import processes
from understudy.sandbox.model import SandboxSpec
from understudy.sandbox.processes import ImageProcess
from understudy.targets.layout import Layout
from understudy.targets.project import DevServerSection

_HOST = "127.0.0.1"
_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 5.0
_LOG_TAIL_CHARACTERS = 1500
# `uvicorn --reload`, but for two things. Its socket is made without a protocol number, so asyncio sets no
# TCP_NODELAY and every answer waits 40 ms for an acknowledgement. And after a save it steps aside: the cold
# start of the Lambda is what the user waits for.
_SERVE = """
import os, socket, sys
import uvicorn
from uvicorn.supervisors import ChangeReload
app, host, port, folder = sys.argv[1:]
os.nice(10)
config = uvicorn.Config(app, host=host, port=int(port), reload=True, reload_dirs=[folder])
listener = config.bind_socket()
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listener]).run()
"""


class DevServer:
    """One development server; `start` returns when it listens."""

    def __init__(self, layout: Layout, section: DevServerSection, *, port: int | None = None) -> None:
        self._layout = layout
        self._section = section
        self._port = port or section.port
        self._process: ImageProcess | None = None
        self._pump: threading.Thread | None = None

    @property
    def log_path(self) -> Path:
        """What the server writes."""
        return self._layout.run / "devserver.log"

    @property
    def url(self) -> str:
        """Base URL of the app."""
        return f"http://{_HOST}:{self._port}"

    def start(self, image: Image, store: Store, variables: Mapping[str, str]) -> None:
        """Serves the app from `image` with the function's own environment variables.

        Raises:
            EnvironmentProblemError: the port is taken, or the app does not start.
            UnderstudyError: this machine cannot isolate.
        """
        self.check_port()
        environment = {**dict(image.config.env), **variables, "PYTHONDONTWRITEBYTECODE": "1"}
        working_dir = image.config.working_dir or "/"
        spec = SandboxSpec(
            rootfs=rootfs.prepare(store, image.digest),
            entrypoint=("python3", "-c", _SERVE),
            command=(self._section.app, _HOST, str(self._port), working_dir),
            working_dir=working_dir,
            environment=environment,
        )
        self._process = processes.run_in_image(
            spec, self._layout.sandboxes, binds=self._binds(PurePosixPath(working_dir))
        )
        self._pump = threading.Thread(target=_copy_log, args=(self._process, self.log_path), daemon=True)
        self._pump.start()
        self._wait_until_it_listens(self._pump)

    def _binds(self, working_dir: PurePosixPath) -> list[tuple[Path, PurePosixPath]]:
        """The source over the image's code; where it holds our own state, an empty folder over that."""
        source, state = self._layout.root / self._section.source, self._layout.state
        if not state.is_relative_to(source):
            return [(source, working_dir)]
        empty = self._layout.run / "empty"
        empty.mkdir(parents=True, exist_ok=True)
        return [(source, working_dir), (empty, working_dir / state.relative_to(source).as_posix())]

    def check_port(self) -> None:
        """Returns when the server's port is free.

        Raises:
            EnvironmentProblemError: somebody listens there.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, self._port))
            except OSError as exc:
                raise EnvironmentProblemError(
                    "port-taken",
                    f"port {self._port} of the development server is in use",
                    hint=f"./understudy up --dev-port {self._port + 1}, or see who holds it: "
                    f"ss -ltnp 'sport = :{self._port}'",
                    where=f"{_HOST}:{self._port}",
                ) from exc

    def _wait_until_it_listens(self, pump: threading.Thread) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline and pump.is_alive():
            try:
                socket.create_connection((_HOST, self._port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise EnvironmentProblemError(
            "devserver-start",
            f"the development server did not start:\n"
            f"{self.log_path.read_text()[-_LOG_TAIL_CHARACTERS:].strip()}",
            hint=f"correct devServer.app ({self._section.app}), or: ./understudy up --no-dev",
            where=str(self.log_path),
        )

    def stop(self) -> None:
        """Ends the server and everything it started; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        if self._pump is not None:
            self._pump.join(_STOP_WITHIN_S)
        process.close()


def _copy_log(process: ImageProcess, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log:

        def write(data: bytes) -> None:
            log.write(data)
            log.flush()

        status = process.wait(write)
        if status not in (0, 128 + signal.SIGTERM):
            write(f"development server: exit status {status}\n".encode())

"""An engine, or LocalStack, that somebody else runs: in a container beside this one, mostly.

It is reached at the project's own endpoint all the same, through a relay of this process where it listens
elsewhere: URLs then mean the same here and on the host, and targets go on speaking to loopback alone.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable

from understudy.engine import config, listen
from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.reconcile import loopback
from understudy.targets import http

_READY_WITHIN_S = 180.0
# For who would wait in vain: its container may have ended at once, for want of a license.
_LISTENS_WITHIN_S = 45.0
_PAUSE_S = 0.2
_CONNECT_S = 2.0
_CHUNK_BYTES = 256 * 1024


class AttachedEngine:
    """One engine that is not ours to start or stop.

    Args:
        host: where it listens.
        remote_port: its port there.
        port: the project's own; the relay listens on it.
    """

    def __init__(self, *, host: str, remote_port: int, port: int) -> None:
        self._host = host
        self._remote_port = remote_port
        self._port = port
        self._sockets: list[socket.socket] = []

    @property
    def where(self) -> str:
        """Where to look when something is wrong with it."""
        return f"{self._host}:{self._remote_port}"

    @property
    def endpoint(self) -> str:
        """The endpoint here."""
        return f"http://localhost:{self._port}"

    def install(self, progress: Callable[[str], None]) -> None:
        """Needs nothing."""
        del progress

    def launch(self) -> None:
        """Listens on the project's port, unless the engine is there already.

        Raises:
            PortInUseError: somebody else does.
        """
        if loopback.is_loopback(self._host) and self._remote_port == self._port:
            return
        self._sockets = listen.bind(config.LOOPBACK, self._port)
        self._port = self._sockets[0].getsockname()[1]
        threading.Thread(target=asyncio.run, args=(self._relay(),), daemon=True).start()

    def start(self) -> str:
        """Returns the endpoint once the engine answers.

        Raises:
            EnvironmentProblemError: it does not within three minutes, or nothing so much as listens there.
        """
        began = time.monotonic()
        while True:
            try:
                http.get_json(f"{self.endpoint}/_localstack/health")
            except UnderstudyError as exc:
                waited = time.monotonic() - began
                if waited > _READY_WITHIN_S or (waited > _LISTENS_WITHIN_S and not self.is_alive()):
                    raise EnvironmentProblemError(
                        "engine-absent",
                        f"no engine answers at {self.where}: {exc.message}",
                        hint="docker compose ps --all and docker compose logs tell what became of it",
                        where=self.where,
                        retryable=True,
                    ) from exc
                time.sleep(_PAUSE_S)
            else:
                return self.endpoint

    def is_alive(self) -> bool:
        """Whether something accepts connections there."""
        try:
            socket.create_connection((self._host, self._remote_port), timeout=_CONNECT_S).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Leaves it running; the relay ends with this process."""

    async def _relay(self) -> None:
        servers = [await asyncio.start_server(self._serve, sock=each) for each in self._sockets]
        await asyncio.gather(*(server.serve_forever() for server in servers))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(self._host, self._remote_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
        back.close()
        writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copies until the source ends, then says so to the target, which may still be answering."""
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK_BYTES):
            target.write(data)
            await target.drain()
        target.write_eof()

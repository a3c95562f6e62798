"""One run of the engine on its event loop: parts, hooks and server, from the first request to the last."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from typing import Any

from understudy.engine import compose, hooks
from understudy.engine.compose import Parts
from understudy.engine.config import EngineConfig
from understudy.engine.delegate.supervisor import Delegate
from understudy.engine.hooks import Stage
from understudy.engine.protocol import codec
from understudy.engine.server import Server

_CLOSE_WITHIN_S = 8.0
_SHUTDOWN_HOOKS_WITHIN_S = 30.0

logger = logging.getLogger("understudy.engine")


class EngineProcess:
    """One run of the engine on its event loop."""

    def __init__(
        self, settings: EngineConfig, *, sockets: list[socket.socket], delegate: Delegate, began: float
    ) -> None:
        self._settings = settings
        self._sockets = sockets
        self._delegate = delegate
        self._began = began
        self._port: int = sockets[0].getsockname()[1]
        self._environment = hooks.environment(f"http://localhost:{self._port}")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._parts: Parts | None = None
        self._server: Server | None = None
        self._main: asyncio.Task[Any] | None = None
        self._stopping = False

    async def run(self) -> None:
        """Serves until a signal.

        Raises:
            UnderstudyError: a part of the engine cannot work on this machine.
        """
        self._main = asyncio.current_task()
        for met in self._settings.localstack.met:
            logger.info("engine: LocalStack setting %s", met)
        parts = self._parts = compose.Parts(self._settings, port=self._port, delegate=self._delegate)
        self._server = Server(parts.engine, lambda: self._ready(parts))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop_soon)
        await parts.hooks.run(Stage.BOOT, self._environment)
        await parts.open()
        await parts.hooks.run(Stage.START, self._environment)
        try:
            await self._server.serve(sockets=self._sockets)
        finally:
            self._settings.ready_path.unlink(missing_ok=True)
            for task in self._tasks:
                task.cancel()
            parts.hooks.stop()
            if not await compose.closing(parts, _CLOSE_WITHIN_S):
                logger.error("engine: closing took more than %.0f s, leaving", _CLOSE_WITHIN_S)

    def _ready(self, parts: Parts) -> None:
        """Announces the engine and starts what may go on behind requests."""
        document = {
            "pid": os.getpid(),
            "port": self._port,
            "endpoint": f"http://localhost:{self._port}",
            "started_in_s": round(time.monotonic() - self._began, 3),
        }
        path = self._settings.ready_path
        path.parent.mkdir(parents=True, exist_ok=True)
        waiting = path.with_suffix(f".{os.getpid()}.tmp")
        waiting.write_text(json.dumps(document), encoding="utf-8")
        waiting.replace(path)
        parts.endpoints.ready = True
        logger.info("engine: ready on port %d after %.2f s", self._port, document["started_in_s"])
        self._spawn(self._after_ready(parts))

    async def _after_ready(self, parts: Parts) -> None:
        for name in parts.service_names:
            await asyncio.to_thread(codec.codec, name)
        gc.collect()
        gc.freeze()
        await parts.hooks.run(Stage.READY, self._environment)
        # LocalStack's marker, for which testcontainers and wait loops look.
        sys.stdout.write("Ready.\n")
        sys.stdout.flush()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_soon(self) -> None:
        """Handles a signal; a second one no longer waits for hooks and requests."""
        server = self._server
        if server is None or not server.started:
            if self._main is not None:
                self._main.cancel()
        elif self._stopping:
            server.should_exit = server.force_exit = True
        else:
            self._stopping = True
            self._spawn(self._stop(server))

    async def _stop(self, server: Server) -> None:
        """Runs the shutdown hooks while the engine still answers, then ends the server."""
        if self._parts is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SHUTDOWN_HOOKS_WITHIN_S):
                    await self._parts.hooks.run(Stage.SHUTDOWN, self._environment)
        server.should_exit = True

"""Runs MiniStack inside the delegate's own virtual environment; run by path, not for import.

What MiniStack's own entry point lacks is added here: it serves one private, inherited socket (MiniStack would
also bind port 443), answers only requests that carry the engine's token (a web page could find the port),
dies with its parent, hands events for functions to the engine (`deliveries`), and saves its state while it
runs (MiniStack saves on a clean exit only).

Durability, honestly: S3 bodies are on disk when the request is answered. Everything else is saved at most
`SAVE_DELAY_S` after a change, later while saving is slow (a save takes at most a tenth of the time). Killing
the engine loses nothing: the child gets SIGTERM, saves and exits. Killing both at the same moment can lose
the last changes within that delay.
"""

import asyncio
import ctypes
import importlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from types import ModuleType
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SAVE_DELAY_S = 0.1
_SAVE_SHARE = 10
_PR_SET_PDEATHSIG = 1
_EXIT_WITHIN_S = 5
_READING_METHODS = ("GET", "HEAD", "OPTIONS")
_READING_OPERATIONS = (b"Get", b"List", b"Describe", b"Query", b"Scan", b"BatchGet")


class Autosave:
    """An ASGI application around MiniStack that checks the token and saves state soon after a change."""

    def __init__(self, ministack: ModuleType, token: bytes) -> None:
        self._ministack = ministack
        self._token = token
        self._dirty = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one ASGI scope."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if headers.get(b"x-understudy-delegate") != self._token:
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": b"this port belongs to understudy"})
                return
        await self._ministack.app(scope, receive, send)
        if scope["type"] == "http" and _changes(scope, headers):
            self._dirty.set()

    async def save_forever(self) -> None:
        """Saves after each change, resting ten times as long as the save took."""
        persistence = importlib.import_module("ministack.core.persistence")
        while True:
            await self._dirty.wait()
            await asyncio.sleep(SAVE_DELAY_S)
            self._dirty.clear()
            began = time.monotonic()
            persistence.save_all(self._ministack._build_persistence_save_dict())
            await asyncio.sleep(_SAVE_SHARE * (time.monotonic() - began))


def _changes(scope: Message, headers: dict[bytes, bytes]) -> bool:
    """Whether a request may have changed state; in doubt, it has."""
    if scope["method"] in _READING_METHODS:
        return False
    target = headers.get(b"x-amz-target", b"").rpartition(b".")[2]
    return not target.startswith(_READING_OPERATIONS)


def die_with(parent: int) -> None:
    """Asks the kernel for SIGTERM when the parent ends, however it ends; exits if it already has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


async def _serve(socket_fd: int, token: bytes) -> None:
    ministack = importlib.import_module("ministack.app")
    config = importlib.import_module("hypercorn.config").Config()
    serve = importlib.import_module("hypercorn.asyncio").serve
    config.bind = [f"fd://{socket_fd}"]
    config.keep_alive_timeout = 3600
    config.graceful_timeout = 0.2
    config.accesslog = None
    config.h11_max_incomplete_size = 256 * 1024
    stop = asyncio.Event()

    def terminate() -> None:
        signal.alarm(_EXIT_WITHIN_S)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, terminate)
    app = Autosave(ministack, token)
    saver = asyncio.create_task(app.save_forever())
    await serve(app, config, shutdown_trigger=stop.wait)
    saver.cancel()


def main() -> None:
    """Serves until SIGTERM: ``child.py SOCKET_FD PARENT_PID`` with the token in the environment."""
    die_with(int(sys.argv[2]))
    sys.meta_path.insert(0, importlib.import_module("deliveries").Finder())
    asyncio.run(_serve(int(sys.argv[1]), os.environ.pop("UNDERSTUDY_DELEGATE_TOKEN").encode()))


if __name__ == "__main__":
    main()

"""Runs one program in a sandbox from ordinary blocking code: build steps and the development server.

Closing the handle, or the end of this process by any means, ends everything in the sandbox.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import selectors
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

from understudy.errors import UnderstudyError
from understudy.sandbox import privileges
from understudy.sandbox.forkclient import memory_file
from understudy.sandbox.model import LaunchFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from understudy.sandbox.forkclient import ForkServer

_CHUNK = 65536
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_START_TIMEOUT_S = 20.0


class ForegroundProcess:
    """A program that runs in a sandbox of its own."""

    def __init__(self, server: ForkServer, root: dict[str, Any], process: dict[str, Any]) -> None:
        self._lock = threading.Lock()
        self._status: int | None = None
        self._failure: LaunchFailure | None = None
        self._link = server.spawn(root)
        try:
            self._await_root()
            self._reading = self._start(process)
        except BaseException:
            self._link.close()
            raise

    def wait(self, output: Callable[[bytes], None]) -> int:
        """Returns the exit status, 128 + signal when it was killed; blocks until it ended.

        Args:
            output: receives stdout and stderr as they come.
        """
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._link, selectors.EVENT_READ)
                selector.register(self._reading, selectors.EVENT_READ)
                while self._status is None:
                    for key, _ in selector.select():
                        if key.fileobj is self._link:
                            self._listen()
                        elif not self._forward(output):
                            selector.unregister(self._reading)
            while self._forward(output):
                pass
        finally:
            self.close()
        if self._failure is not None:
            output(f"{self._failure.text}\n".encode())
        return self._status

    def terminate(self) -> None:
        """Asks every process in the sandbox to end; from any thread."""
        self._send({"do": "kill", "signal": int(signal.SIGTERM)})

    def kill(self) -> None:
        """Ends every process in the sandbox at once; from any thread."""
        self._send({"do": "kill", "signal": int(signal.SIGKILL)})

    def close(self) -> None:
        """Ends the sandbox; idempotent."""
        with self._lock:
            self._link.close()
            reading, self._reading = self._reading, -1
            if reading >= 0:
                os.close(reading)

    def _await_root(self) -> None:
        self._link.settimeout(_START_TIMEOUT_S)
        message = json.loads(self._link.recv(_CHUNK) or b'{"failed": "root", "text": "process 1 ended"}')
        self._link.settimeout(None)
        if "failed" in message:
            raise privileges.forbidden(message.get("errno") or 0, message["text"])

    def _start(self, process: dict[str, Any]) -> int:
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            with memory_file(process) as description:
                socket.send_fds(self._link, [b'{"do": "start"}'], [description, writing])
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return reading

    def _listen(self) -> None:
        data = self._link.recv(_CHUNK)
        if not data:
            self._status = 128 + signal.SIGKILL
            return
        message = json.loads(data)
        if "failed" in message:
            self._fail(message)
        elif "exit" in message:
            code = message["exit"]
            self._status = 128 - code if code < 0 else code
            if self._failure is not None and self._failure.errno in {errno.EACCES, errno.ENOEXEC}:
                self._status = _NOT_EXECUTABLE

    def _fail(self, message: dict[str, Any]) -> None:
        if message["failed"] in {"exec", "cwd"}:
            text = f"{message['failed']}: {message['text']}"
            self._failure = LaunchFailure(stage=message["failed"], errno=message["errno"], text=text)
            return
        raise UnderstudyError(
            "sandbox-start",
            f"the program could not be started, {message['failed']}: {message['text']}",
            hint="name a user that exists in the image, or install the package uidmap to map other users",
        )

    def _forward(self, output: Callable[[bytes], None]) -> bool:
        data = os.read(self._reading, _CHUNK) if self._reading >= 0 else b""
        if data:
            output(data)
        return bool(data)

    def _send(self, message: dict[str, Any]) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._link.send(json.dumps(message).encode())

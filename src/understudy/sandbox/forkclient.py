"""Starts the fork server and asks it for sandboxes; shared by the asyncio executor and the build steps.

The fork server lives as long as the socket to it: the kernel closes that when this process ends, however it
ends, so nothing has to be cleaned up by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import EnvironmentProblemError
from understudy.sandbox import privileges
from understudy.sandbox.inner import linux as _linux  # the folder that the bare interpreter imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from understudy.sandbox.privileges import Identity, Purpose

_CODE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from inner import forkserver; forkserver.main()"
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0


class ForkServer:
    """One running fork server."""

    def __init__(self, stage: Path, purpose: Purpose) -> None:
        self._stage = stage
        self._purpose: Purpose = purpose
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.identity: Identity | None = None

    @property
    def pid(self) -> int:
        """The fork server's process id; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, remove_at_exit: Sequence[Path] = ()) -> None:
        """Starts it and waits until its namespaces stand.

        Args:
            remove_at_exit: control groups that it removes when this process dies without a farewell.

        Raises:
            EnvironmentProblemError: the kernel forbids; the hint says how to allow it.
        """
        self.identity = privileges.identity(self._purpose)
        self._stage.mkdir(parents=True, exist_ok=True)
        _remove_stale(self._stage.parent)
        settings = {
            "user_namespace": self.identity.user_namespace,
            "become": self.identity.become,
            "stage": str(self._stage.resolve()),
            "remove": [str(path) for path in remove_at_exit],
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = Path(_linux.__file__).parent.parent
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _CODE, str(folder)),
                    *(str(theirs.fileno()), json.dumps(settings)),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            )
        self._socket = ours
        try:
            self._greet(ours, self.identity)
        except BaseException:
            self.stop()
            raise

    def _greet(self, link: socket.socket, who: Identity) -> None:
        link.settimeout(_START_TIMEOUT_S)
        message = self._message(link)
        if message.get("map"):
            privileges.write_maps(self.pid, who)
            link.send(b"mapped")
            message = self._message(link)
        if "failed" in message:
            raise privileges.forbidden(message.get("errno") or 0, message["text"])
        link.settimeout(None)

    def _message(self, link: socket.socket) -> dict[str, Any]:
        data = link.recv(65536)
        if not data:
            raise EnvironmentProblemError(
                "sandbox-forkserver",
                f"the sandbox's fork server ended at once, status {self._process and self._process.wait()}",
                hint="run ./understudy doctor",
            )
        message: dict[str, Any] = json.loads(data)
        return message

    def spawn(self, plan: dict[str, Any]) -> socket.socket:
        """Asks for a sandbox after `plan`; the socket to its process 1, which says ``ready`` or ``failed``.

        Raises:
            EnvironmentProblemError: the fork server is gone.
        """
        with memory_file(plan) as description:
            return self._link(lambda theirs: (b"spawn", [description, theirs]))

    def park(self, groups: Sequence[int]) -> socket.socket:
        """Asks for a sandbox that shares the host's network and has no root yet; the socket to its process 1.

        Args:
            groups: `cgroup.procs` files of its first process.

        Raises:
            EnvironmentProblemError: the fork server is gone.
        """
        return self._link(lambda theirs: (b"park", [theirs, *groups]))

    def enter(self, plan: dict[str, Any], link: socket.socket) -> None:
        """Gives a parked sandbox its root; it says ``ready`` or ``failed`` as after `spawn`.

        Raises:
            EnvironmentProblemError: the fork server is gone.
        """
        with memory_file(plan) as description:
            self._ask(b"enter", [description, link.fileno()])

    def _link(self, request: Callable[[int], tuple[bytes, list[int]]]) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with theirs:
            try:
                self._ask(*request(theirs.fileno()))
            except BaseException:
                ours.close()
                raise
        return ours

    def _ask(self, word: bytes, descriptors: list[int]) -> None:
        try:
            if self._socket is None:
                raise BrokenPipeError("not started")
            socket.send_fds(self._socket, [word], descriptors)
        except OSError as error:
            raise EnvironmentProblemError(
                "sandbox-forkserver",
                f"the sandbox's fork server is gone: {error}",
                hint="run ./understudy down, then ./understudy up",
            ) from error

    def stop(self) -> None:
        """Ends it and with it every sandbox; idempotent."""
        link, self._socket = self._socket, None
        process, self._process = self._process, None
        if link is not None:
            link.close()
        if process is not None:
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with contextlib.suppress(OSError):
            self._stage.rmdir()


def _remove_stale(folder: Path) -> None:
    """Removes the empty mount points of dead engines.

    A live one must stay: rmdir(2) of a folder that is a mount point in another namespace unmounts it there.
    """
    for stage in folder.glob("*-*"):
        pid = stage.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                stage.rmdir()


@contextlib.contextmanager
def memory_file(document: dict[str, Any]) -> Iterator[int]:
    """A file descriptor that holds `document` as JSON: no limit on its size, unlike a datagram."""
    descriptor = os.memfd_create("understudy", os.MFD_CLOEXEC)
    try:
        data = memoryview(json.dumps(document).encode())
        while data:
            data = data[os.write(descriptor, data) :]
        yield descriptor
    finally:
        os.close(descriptor)


def received_sockets(ancillary: list[tuple[int, int, bytes]]) -> list[socket.socket]:
    """The sockets that came along with a message."""
    found: list[socket.socket] = []
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = len(data) - len(data) % 4
            numbers = (int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, whole, 4))
            found.extend(socket.socket(fileno=number) for number in numbers)
    return found


def credentials_pid(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The sender's process id as the kernel translated it into our pid namespace; 0 when it is not there."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int.from_bytes(data[:4], sys.byteorder)
    return 0

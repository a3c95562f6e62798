"""Process 1 of a sandbox: holds its namespaces and `/tmp` while runtime processes come and go.

It may be made ahead of any request. Then it waits without a root, beside a process that waits in the control
groups to become the runtime: joining those takes the kernel longer than all the rest of a start.

The kernel kills everything in a pid namespace when its first process ends, and every mount goes with the last
process: so this process ends when the engine closes the socket (or dies). The fork server is process 1 of the
namespace around it, so it takes this one along in the same way.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH115, PTH123

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import struct
from typing import Any, NoReturn

from . import launch, messages, root

_PEEK_AT_MOST = 1 << 20
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_IFF_RUNNING = 0x40


class Holder:
    """The loop of process 1: start, kill, look into and reap processes on request."""

    def __init__(self, control: socket.socket, stage: str) -> None:
        self._control = control
        self._stage = stage
        self._main = 0
        self._waiting = 0
        self._wake: socket.socket | None = None

    def wait_in(self, groups: list[int]) -> None:
        """Forks the process that will be the first to start; it joins `groups` and waits."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            ours.close()
            launch.wait(theirs, self._control, groups)
        theirs.close()
        self._waiting, self._wake = child, ours

    def serve(self) -> NoReturn:
        """Serves until the engine's end of the socket closes, and ends the process."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(wake_read, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == wake_read:
                    os.read(wake_read, 512)
                    self._reap()
                elif not self._obey():
                    # First the processes, then our sockets: the other way round a runtime client sees its
                    # connection to the Runtime API close a moment before it dies, and writes an error that
                    # no Lambda ever logged.
                    _kill_all(signal.SIGKILL)
                    os._exit(0)

    def _obey(self) -> bool:
        message, descriptors = messages.receive(self._control)
        if not message:
            return False
        request = json.loads(message)
        if request["do"] == "start":
            self._start(descriptors)
        elif request["do"] == "enter":
            self.enter(messages.read(descriptors[0]), *descriptors[1:])
        elif request["do"] == "kill":
            _kill_all(request.get("signal", signal.SIGKILL))
        elif request["do"] == "peek":
            self._send(self._peek())
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _start(self, descriptors: list[int]) -> None:
        if self._wake is not None:
            self._main, self._waiting = self._waiting, 0
            with contextlib.suppress(OSError), self._wake:
                socket.send_fds(self._wake, [b"start"], descriptors[:2])
            self._wake = None
            return
        request = messages.read(descriptors[0])
        child = os.fork()
        if child == 0:
            launch.run(request, self._control, descriptors[1:])
        self._main = child

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._waiting and self._wake is not None:
                self._wake.close()
                self._waiting, self._wake = 0, None
            if pid == self._main:
                self._main = 0
                # Lambda resets the whole runtime process tree: what it left behind must not outlive it.
                _kill_all(signal.SIGKILL)
                code = os.waitstatus_to_exitcode(status)
                self._send({"exit": code, "max_rss": usage.ru_maxrss * 1024})

    def _peek(self) -> dict[str, Any]:
        """Executable, command line, environment and directory of the runtime process, as they are now."""
        folder = f"/proc/{self._main}"
        try:
            with open(f"{folder}/cmdline", "rb") as file:
                argv = file.read(_PEEK_AT_MOST).split(b"\0")[:-1]
            with open(f"{folder}/environ", "rb") as file:
                pairs = file.read(_PEEK_AT_MOST).split(b"\0")[:-1]
            found: dict[str, Any] = {"exe": os.readlink(f"{folder}/exe"), "cwd": os.readlink(f"{folder}/cwd")}
        except OSError as error:
            return {"peek": None, "text": str(error)}
        found["argv"] = [os.fsdecode(word) for word in argv]
        found["env"] = dict(os.fsdecode(pair).split("=", 1) for pair in pairs if b"=" in pair)
        return {"peek": found}

    def enter(self, plan: dict[str, Any], shared: int = -1) -> None:
        """Makes the root, goes there and says so; a failure ends the process.

        Args:
            plan: see `root.enter`; besides, `hostname`, `network`, and `listen`: kind, address and port of
                the sockets that a network namespace of its own has; the engine gets them and answers.
            shared: the mount for `root.enter`; stays open.
        """
        listening: list[socket.socket] = []
        try:
            root.enter(plan, f"{self._stage}/root", f"{self._stage}/{plan['devices']}", shared)
            if plan["hostname"]:
                socket.sethostname(plan["hostname"])
            if not plan["network"]:
                _raise_loopback()
                listening = [_listen(*wanted) for wanted in plan.get("listen", ())]
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", 0) or 0
            self._send({"failed": "root", "errno": number, "text": str(error)})
            os._exit(1)
        numbers = struct.pack(f"{len(listening)}i", *(each.fileno() for each in listening))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if numbers else []
        self._control.sendmsg([b'{"ready": true}'], rights)
        for each in listening:
            each.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._control.send(json.dumps(message).encode())
        except OSError:
            os._exit(0)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP | _IFF_RUNNING))


def _listen(kind: str, address: str, port: int) -> socket.socket:
    """A socket stays in the network namespace that it was made in, whoever serves it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    made.bind((address, port))
    if kind == "tcp":
        made.listen(128)
    return made


def _kill_all(number: int) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return

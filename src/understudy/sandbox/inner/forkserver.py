"""Forks one process 1 per sandbox: a start costs a fork and a few mounts, no interpreter start.

Or less: a process 1 may be parked ahead, without a root and without a program of any image.

It owns the user namespace (when the caller is not root), a pid namespace around all sandboxes, a mount
namespace with the shared `/dev`, and nothing else. It ends when its socket closes, that is when the engine
ends, however it ends.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH102, PTH106, PTH112, PTH208

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

from . import linux, messages, root, roots
from .holder import Holder

_DESCRIPTORS_AT_MOST = 64
_LAST_ROUNDS = 100
_LAST_ROUND_S = 0.02
_EXPIRE_MS = 60_000
_NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS


def main() -> None:
    """Serves spawn requests on the inherited socket whose number is the first argument."""
    settings = json.loads(sys.argv[2])
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    os.umask(0o022)
    # Python's handler would let a function's SIGINT end process 1; without one the kernel drops it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # From here on nothing is imported: under a changed root that would run the image's code as root.
    sys.path.clear()
    sys.meta_path.clear()
    try:
        _enter_user_namespace(settings, control)
        _become_first()
        _make_stage(settings["stage"])
    except OSError as error:
        control.send(json.dumps({"failed": "namespaces", "errno": error.errno, "text": str(error)}).encode())
        return
    control.send(b'{"ready": true}')
    _serve(control, settings["stage"])
    _clean_up(settings["remove"])


def _enter_user_namespace(settings: dict[str, Any], control: socket.socket) -> None:
    if not settings["user_namespace"]:
        return
    linux.unshare(linux.CLONE_NEWUSER)
    control.send(b'{"map": true}')
    if not control.recv(64):
        raise SystemExit(0)
    user, group = settings["become"]
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def _become_first() -> None:
    """Goes on as the first process of a pid namespace around all sandboxes.

    Then the kernel itself ends every sandbox when the fork server dies, however it dies. The process that was
    started stays behind to be its parent, and takes it along.
    """
    linux.unshare(linux.CLONE_NEWPID)
    child = os.fork()
    if child != 0:
        sys.stdin.close()
        os.closerange(3, _DESCRIPTORS_AT_MOST)
        _, status = os.waitpid(child, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    linux.die_with_parent(signal.SIGKILL)


def _make_stage(stage: str) -> None:
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", stage, "tmpfs", linux.MS_NOSUID, "mode=0755,size=1m")
    os.mkdir(f"{stage}/root")
    root.make_lambda_devices(f"{stage}/lambda-dev")
    root.make_devices(f"{stage}/dev")


def _serve(control: socket.socket, stage: str) -> None:
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    desk = _Desk(stage, (control.fileno(), wake_read, wake_write))
    while True:
        for descriptor, _ in poll.poll(desk.patience_ms()):
            if descriptor == wake_read:
                os.read(wake_read, 512)
                _reap()
                continue
            message, descriptors = messages.receive(control)
            if not message:
                return
            desk.do(message, descriptors)
            for received in descriptors:
                os.close(received)


class _Desk:
    """What the fork server is asked for; descriptors that come along stay open.

    Args:
        stage: folder of the mounts.
        own: descriptors that are nobody else's.
    """

    def __init__(self, stage: str, own: tuple[int, ...]) -> None:
        self._stage = stage
        self._namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._own = (*own, self._namespace)
        self._roots = roots.SharedRoots(f"{stage}/shared-")

    def patience_ms(self) -> int | None:
        """How long nothing is to be done here; lets go of what was not used for long."""
        self._roots.expire(time.monotonic())
        return _EXPIRE_MS if self._roots else None

    def do(self, message: bytes, descriptors: list[int]) -> None:
        """Obeys one message."""
        if message == b"spawn":
            self._spawn(*descriptors)
        elif message == b"park":
            self._park(*descriptors)
        elif message == b"enter":
            self._enter(*descriptors)

    def _spawn(self, plan_file: int, link: int) -> None:
        """Makes a sandbox after the plan; `link` becomes its process 1's socket to the engine."""
        plan = messages.read(plan_file)
        copy = self._roots.copy(plan)
        if _fork_first(self._namespace):
            os.close(plan_file)
            with self._process_one(link, 0 if plan["network"] else linux.CLONE_NEWNET) as made:
                made.enter(plan, copy)
                if copy >= 0:
                    os.close(copy)
                made.serve()
        if copy >= 0:
            os.close(copy)

    def _park(self, link: int, *groups: int) -> None:
        """Makes a sandbox without a root; a process of it waits in the control groups."""
        if _fork_first(self._namespace):
            with self._process_one(link, 0) as made:
                made.wait_in(list(groups))
                for group in groups:
                    os.close(group)
                made.serve()

    def _enter(self, plan_file: int, engine: int) -> None:
        """Hands the plan, and the root if it is shared, to a parked process 1.

        Args:
            plan_file: the plan.
            engine: the engine's end of its link; process 1 has one socket to listen to.
        """
        copy = self._roots.copy(messages.read(plan_file))
        files = [plan_file] if copy < 0 else [plan_file, copy]
        with socket.socket(fileno=os.dup(engine)) as link, contextlib.suppress(OSError):
            # One that is gone meanwhile is noticed by the engine.
            socket.send_fds(link, [b'{"do": "enter"}'], files)
        if copy >= 0:
            os.close(copy)

    @contextlib.contextmanager
    def _process_one(self, link: int, network: int) -> Iterator[Holder]:
        """Makes this fork process 1 of its own namespaces; there is no way back."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in self._own:
                os.close(descriptor)
            self._roots.forget()
            engine = socket.socket(fileno=link)
            try:
                linux.unshare(_NAMESPACES | network)
            except OSError as error:
                failure = {"failed": "namespaces", "errno": error.errno, "text": str(error)}
                engine.send(json.dumps(failure).encode())
                os._exit(1)
            yield Holder(engine, self._stage)
        finally:
            # Whatever happened, this copy of the fork server must never go on as the fork server.
            os._exit(1)


def _fork_first(own: int) -> bool:
    """Forks the first process of a new pid namespace; whether this is that process.

    unshare(2) chooses the namespace of every later child, so the parent takes the choice back with setns(2).
    """
    linux.unshare(linux.CLONE_NEWPID)
    try:
        child = os.fork()
    except OSError:
        child = -1
    if child == 0:
        return True
    linux.setns(own, linux.CLONE_NEWPID)
    return False


def _clean_up(groups: list[str]) -> None:
    """Waits for the sandboxes, whose sockets closed with ours, and removes their control groups."""
    for _ in range(_LAST_ROUNDS):
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        time.sleep(_LAST_ROUND_S)
    for _ in range(_LAST_ROUNDS):
        groups = [group for group in groups if not _remove(group)]
        if not groups:
            return
        time.sleep(_LAST_ROUND_S)


def _remove(group: str) -> bool:
    try:
        for name in os.listdir(group):
            if os.path.isdir(f"{group}/{name}"):
                os.rmdir(f"{group}/{name}")
        os.rmdir(group)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return

"""Forks one process 1 per sandbox: a start costs a fork and a few mounts, no interpreter start.

It owns the user namespace (when the caller is not root), a pid namespace around all sandboxes, a mount
namespace with the shared `/dev`, and nothing else. It ends when its socket closes, that is when the engine
ends, however it ends.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH102, PTH106, PTH112, PTH208

import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, NoReturn

from . import holder, linux, root, roots

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
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    shared = roots.SharedRoots(f"{stage}/shared-")
    while True:
        shared.expire(time.monotonic())
        for descriptor, _ in poll.poll(_EXPIRE_MS if shared else None):
            if descriptor == wake_read:
                os.read(wake_read, 512)
                _reap()
                continue
            message, descriptors = holder.receive(control)
            if not message:
                return
            plan_file, link = descriptors
            plan = _read_plan(plan_file)
            copy = shared.copy(plan)
            if _fork_first(own):
                for inherited in (control.fileno(), own, wake_read, wake_write):
                    os.close(inherited)
                shared.forget()
                _become_holder(plan, link, stage, copy)
            os.close(link)
            if copy >= 0:
                os.close(copy)


def _read_plan(descriptor: int) -> dict[str, Any]:
    with open(descriptor, "rb") as file:
        file.seek(0)
        plan: dict[str, Any] = json.loads(file.read())
    return plan


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


def _become_holder(plan: dict[str, Any], link: int, stage: str, shared: int) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        engine = socket.socket(fileno=link)
        try:
            linux.unshare(_NAMESPACES | (0 if plan["network"] else linux.CLONE_NEWNET))
        except OSError as error:
            failure = {"failed": "namespaces", "errno": error.errno, "text": str(error)}
            engine.send(json.dumps(failure).encode())
            os._exit(1)
        holder.hold(plan, engine, (f"{stage}/root", f"{stage}/{plan['devices']}"), shared)
    finally:
        # Whatever happened, this copy of the fork server must never go on as the fork server.
        os._exit(1)


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

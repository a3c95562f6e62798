"""Takes the engine's two exclusive things, its port and its data folder, and says who holds them if taken."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import EnvironmentProblemError


class PortInUseError(EnvironmentProblemError):
    """Another process listens on the engine's port.

    Attributes:
        pid: that process, where this user may see it.
    """

    def __init__(self, port: int) -> None:
        self.pid = listening_pid(port)
        holder = f" by {_command(self.pid)} (pid {self.pid})" if self.pid else ""
        super().__init__(
            "port-in-use",
            f"port {port} is in use{holder}",
            hint=f"stop it: kill {self.pid}" if self.pid else f"see who it is: ss -ltnp 'sport = :{port}'",
            where=f"127.0.0.1:{port}",
        )


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Returns listening sockets, one per host, on one port; an IPv6 address this machine lacks is left out.

    Raises:
        PortInUseError: another process has the port.
        EnvironmentProblemError: an address cannot be bound.
    """
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            bound = _bind_one(host, port)
            if bound is not None:
                sockets.append(bound)
                port = bound.getsockname()[1]
    except BaseException:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def _bind_one(host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise PortInUseError(port) from exc
        if family == socket.AF_INET6 and exc.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        raise EnvironmentProblemError(
            "address", f"{host}:{port} cannot be bound: {exc.strerror}", hint="choose another with --port"
        ) from exc
    return listener


@contextmanager
def exclusive(run_dir: Path) -> Iterator[None]:
    """Holds a data folder for this process, which the kernel gives back however the process ends.

    Raises:
        EnvironmentProblemError: another engine holds it.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / "engine.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.seek(0)
            pid = lock.read().strip() or "?"
            raise EnvironmentProblemError(
                "engine-running",
                f"an engine (pid {pid}) already runs on {run_dir.parent}",
                hint="run ./understudy down",
                where=str(path),
            ) from exc
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def listening_pid(port: int) -> int | None:
    """Returns the process that listens on a TCP port of this machine, or None where it cannot be seen."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not inodes:
        return None
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(str(entry.readlink()) in inodes for entry in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            # proc(5): local address in hexadecimal, state 0A is LISTEN, the tenth field is the inode.
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _command(pid: int | None) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "another process"
    return b" ".join(words[:3]).decode("utf-8", "replace").strip() or "another process"

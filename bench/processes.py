"""Child processes of a run: started in sessions of their own, ended whole, their output kept in a file."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from understudy.errors import EnvironmentProblemError

_END_WITHIN_S = 20.0
_TAIL_CHARACTERS = 1500


class Child:
    """A server in the background; a context manager."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._argv = list(argv)
        self._log = log
        self._environment = environment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def pid(self) -> int:
        """Its process id; 0 before it was started."""
        return self._process.pid if self._process else 0

    def wait_for_port(self, port: int, within_s: float = 60.0) -> None:
        """Returns once it accepts connections.

        Raises:
            EnvironmentProblemError: it ended, or does not listen in time.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.02)
        raise EnvironmentProblemError(
            "bench-start",
            f"{Path(self._argv[0]).name} does not listen on port {port}:\n"
            f"{self._log.read_text(errors='replace')[-_TAIL_CHARACTERS:]}",
            hint=f"run it by hand: {' '.join(self._argv)}",
            where=str(self._log),
        )


def free_port() -> int:
    """A port that nobody listens on at this moment, on either loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def tree(pid: int) -> list[int]:
    """`pid` and everything it started, but for what runs in a process namespace of its own."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parents.setdefault(_parent(entry), []).append(int(entry.name))
    own = _namespace(pid)
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        if _namespace(one) == own:
            found.append(one)
            waiting += parents.get(one, [])
    return found


def _parent(entry: Path) -> int:
    with contextlib.suppress(OSError):
        return int(
            (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    return 0


def _namespace(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return ""


def resident_mb(pid: int, name: str = "VmRSS") -> float:
    """A figure of /proc/PID/status in MB; 0 when the process is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def command_line(pid: int) -> str:
    """The arguments of a process, separated by blanks."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""

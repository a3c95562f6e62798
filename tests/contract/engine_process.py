"""A real engine process on a port of its own, for tests that look at it from outside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from understudy.engine.config import EngineConfig
from understudy.engine.delegate import install

if TYPE_CHECKING:
    from collections.abc import Sequence

REPO = Path(__file__).parents[2]
DEADLINE_S = 60.0


def delegate_python() -> Path:
    """The delegate's interpreter, its environment made once per checkout."""
    return install.install(REPO / ".understudy" / "cache")


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """What `condition` returns once it is true; fails the test when it never is."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """`pid`, and every process below it; processes and threads may end meanwhile."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
    found = [pid]
    for candidate in found:
        found += [child for child, parent in parents.items() if parent == candidate]
    return found


def rss_bytes(pid: int) -> int:
    """A process's resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"{pid} has no memory")


class EngineProcess:
    """One engine; `start` and `stop` as often as needed over the same data."""

    def __init__(
        self,
        data_dir: Path,
        *,
        with_delegate: bool = True,
        hooks_dir: Path | None = None,
        delegate_url: str | None = None,
    ) -> None:
        self.config = EngineConfig(
            data_dir=data_dir,
            port=0,
            hooks_dir=hooks_dir,
            delegate_python=delegate_python() if with_delegate and delegate_url is None else None,
            delegate_url=delegate_url,
        )
        self.environ: Mapping[str, str] = os.environ
        self.log = data_dir.parent / "engine.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def command(self) -> "Sequence[str]":
        """The command line that starts it."""
        return [sys.executable, "-m", "understudy.engine", *self.config.argv()]

    def start(self) -> "EngineProcess":
        """Starts it and waits until it accepts requests."""
        self.config.ready_path.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=self.environ)
        eventually(self._is_ready, f"engine ready, see {self.log}")
        self.ready = json.loads(self.config.ready_path.read_text())
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        return self.config.ready_path.exists()

    @property
    def pid(self) -> int:
        """The engine's process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.ready['port']}"

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client of this engine."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, **config),
        )

    def children(self) -> list[int]:
        """Every process below the engine."""
        return descendants(self.pid)[1:]

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Ends it with a signal and returns how long that took, its children's end included."""
        assert self.process is not None
        children, began = self.children(), time.monotonic()
        os.kill(self.pid, number)
        self.process.wait(DEADLINE_S)
        eventually(lambda: not any(alive(pid) for pid in children), "no child is left")
        self.process = None
        return time.monotonic() - began

    def close(self) -> None:
        """Ends it if it still runs."""
        if self.process is not None:
            self.stop(signal.SIGKILL)

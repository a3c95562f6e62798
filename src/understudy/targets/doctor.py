"""What this machine lacks for a local stack, each with the command that mends it."""

import contextlib
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from understudy.errors import UnderstudyError
from understudy.targets import layout, record

Severity = Literal["ok", "warning", "error"]

_MIN_FREE_BYTES = 3 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        severity: ``error`` when `up` cannot work without it.
        found: what is there.
        fix: the command or edit that mends it; empty when nothing is wrong.
    """

    name: str
    severity: Severity
    found: str
    fix: str = ""


def examine(root: Path, *, port: int, sandbox: Callable[[], Iterator[Check]]) -> list[Check]:
    """Returns every check of this machine for the project at `root`.

    Args:
        root: the project's folder.
        port: where the local endpoint will listen.
        sandbox: yields the executor's own checks.
    """
    return [
        _python(),
        *sandbox(),
        _port(root, port),
        _names(),
        _disk(root),
        _docker(),
    ]


def _python() -> Check:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    return Check(name="Python 3.11 or newer", severity="ok", found=found)


def _port(root: Path, port: int) -> Check:
    name = f"port {port} on 127.0.0.1"
    if _is_own(root, port):
        return Check(name=name, severity="ok", found="this project's local stack listens there")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            return Check(
                name=name,
                severity="warning",
                found=f"in use ({exc.strerror})",
                fix=f"./understudy up --port {port + 1}, or see who holds it: ss -ltnp 'sport = :{port}'",
            )
    return Check(name=name, severity="ok", found="free")


def _is_own(root: Path, port: int) -> bool:
    with contextlib.suppress(UnderstudyError):
        running = record.read(layout.find(root))
        return running is not None and urlsplit(running.endpoint).port == port
    return False


def _names() -> Check:
    name = "names below execute-api.localhost"
    try:
        socket.getaddrinfo("doctor.execute-api.localhost", 80)
    except OSError:
        return Check(
            name=name,
            severity="warning",
            found="do not resolve; URLs of the form /_aws/execute-api/ID are printed instead",
            fix="apt-get install -y libnss-myhostname",
        )
    return Check(name=name, severity="ok", found="resolve to this machine")


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free
    found = f"{free / 2**30:.1f} GiB free"
    if free < _MIN_FREE_BYTES:
        return Check(
            name="disk space", severity="error", found=found, fix=f"free 3 GiB on the disk of {root}"
        )
    return Check(name="disk space", severity="ok", found=found)


def _docker() -> Check:
    found = shutil.which("docker")
    return Check(
        name="docker (optional)", severity="ok", found=found or "none; understudy builds and runs without it"
    )

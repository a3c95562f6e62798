"""LocalStack 4.14.0 as a process: its own packages from PyPI on the stand-in base's Python 3.13.

That release does not run on an earlier Python, and its image cannot be pulled where CI runs. The base's
interpreter runs in place, through the base's own dynamic loader, so it needs no root, mount or container.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.contract import base_store
from tests.contract.engine_process import REPO, eventually
from understudy.image import rootfs

VERSION = "4.14.0"
_LOCK = REPO / "requirements" / "localstack.txt"


def packages() -> Path:
    """A folder with the locked packages, made once per lock and shared by checkouts' runs."""
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    target = REPO / ".understudy" / "cache" / f"localstack-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            made = target.with_suffix(".new")
            shutil.rmtree(made, ignore_errors=True)
            _install(made)
            made.rename(target)
    return target


def _install(target: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--require-hashes", "--only-binary=:all:", "--no-compile", "--root-user-action=ignore"),
        *("--python-version", "3.13", "--implementation", "cp"),
        *(word for abi in ("cp313", "abi3", "none") for word in ("--abi", abi)),
        *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"),
        *("--target", str(target), "--requirement", str(_LOCK)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class LocalStack:
    """One LocalStack on a port; `start` and `stop` as often as needed.

    Args:
        folder: its state, empty after each start: keeping it is part of the licensed product.
        port: where it listens.
        public_port: the port that its answers shall name, which is the engine's.
    """

    def __init__(self, folder: Path, *, port: int, public_port: int) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._port = port
        self._public_port = public_port
        self._packages = packages()
        store, image = base_store.with_base(folder / "base")
        [self._root] = rootfs.prepare(store, image.digest).layers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> "LocalStack":
        """Starts it and waits until it answers."""
        root = self._root
        libraries = (root / part for part in ("usr/lib/x86_64-linux-gnu", "usr/lib64"))
        command = [
            str(root / "usr/lib64/ld-linux-x86-64.so.2"),
            *("--library-path", ":".join(map(str, libraries))),
            str(root / "var/lang/bin/python3.13"),
            *("-m", "localstack.runtime.main"),
        ]
        log = self._folder / "localstack.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=self._environment(), stdout=output, stderr=output, start_new_session=True
            )
        eventually(self._answers, f"LocalStack answers, see {log}")
        return self

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder / "home"),
            "PYTHONHOME": str(self._root / "var/lang"),
            "PYTHONPATH": str(self._packages),
            "GATEWAY_LISTEN": f"127.0.0.1:{self._port}",
            "LOCALSTACK_HOST": f"localhost.localstack.cloud:{self._public_port}",
            "FILESYSTEM_ROOT": str(self._folder / "filesystem"),
            # Nothing is fetched and nobody is told: no certificate, no usage events, no name server.
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "DNS_ADDRESS": "0",
        }

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "localstack.log").read_text()
        try:
            return httpx.get(f"{self.url}/_localstack/health").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Ends it and what it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

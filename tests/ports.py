"""Ports for servers that must be told one: whoever asks here has it to himself as long as his process runs.

A port that the kernel chose and that was let go again can be another's before its server listens: every
connection out of this machine takes one of the same range, and so does every other test process.
"""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below those that the kernel gives away (ip_local_port_range in Linux's ip-sysctl.rst: 32768 and above).
_RANGE = range(20_000, 32_000)
_FOLDER = Path(tempfile.gettempdir(), f"understudy-test-ports-{os.getuid()}")


def free_port() -> int:
    """A port that nobody listens on, and that no other call gets while this process runs."""
    _FOLDER.mkdir(exist_ok=True)
    for port in random.sample(_RANGE, len(_RANGE)):
        # Never closed: the lock is the process's, and ends with it.
        held = os.open(_FOLDER / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.suppress(OSError), socket.socket() as probe:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.bind(("", port))
            return port
        os.close(held)
    raise AssertionError(f"no port of {_RANGE} is free")

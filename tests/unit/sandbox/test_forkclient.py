"""The descriptions that travel by file descriptor."""

import json
import os
import socket

import pytest

from understudy.errors import EnvironmentProblemError
from understudy.sandbox import forkclient


def test_memory_file_holds_more_than_a_datagram() -> None:
    document = {"env": {"A": "x" * 400_000}}
    with forkclient.memory_file(document) as descriptor:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            assert json.loads(file.read()) == document


def test_sender_is_known_by_its_credentials() -> None:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, right:
        right.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        left.send(b"x")
        _, ancillary, _, _ = right.recvmsg(10, 64)
    assert forkclient.credentials_pid(ancillary) == os.getpid()
    assert forkclient.credentials_pid([]) == 0


def test_spawn_before_start_says_so(tmp_path: "os.PathLike[str]") -> None:
    server = forkclient.ForkServer(forkclient.Path(tmp_path) / "stage", "function")
    with pytest.raises(EnvironmentProblemError, match="gone"):
        server.spawn({})
    with pytest.raises(EnvironmentProblemError, match="gone"):
        server.park(())
    server.stop()

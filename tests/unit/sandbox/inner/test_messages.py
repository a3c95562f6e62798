"""Packets with descriptors, and documents in files."""

import os
import socket
from pathlib import Path

from understudy.sandbox.inner import messages


def test_descriptors_come_along_and_close_on_exec(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    (tmp_path / "file").write_text("content")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    with ours, theirs:
        socket.send_fds(ours, [b"word"], [descriptor, descriptor])
        os.close(descriptor)
        word, (first, second) = messages.receive(theirs)
        assert word == b"word"
        assert not os.get_inheritable(first)
        assert os.read(second, 10) == b"content"
        os.close(first)
        os.close(second)
        ours.close()
        assert messages.receive(theirs) == (b"", [])


def test_a_document_is_read_from_its_beginning_and_stays_open(tmp_path: Path) -> None:
    (tmp_path / "plan").write_text('{"a": [1]}')
    descriptor = os.open(tmp_path / "plan", os.O_RDONLY)
    assert messages.read(descriptor) == messages.read(descriptor) == {"a": [1]}
    os.close(descriptor)

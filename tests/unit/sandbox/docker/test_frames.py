"""Frames of process 1, in the pieces that Docker and the kernel make of them."""

import struct

import pytest

from understudy.image.rootfs import Rootfs
from understudy.sandbox.docker import frames
from understudy.sandbox.docker.frames import Demultiplexer
from understudy.sandbox.executor import Peek
from understudy.sandbox.model import ExitStatus, LaunchFailure, SandboxSpec


def multiplexed(content: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxI", stream, len(content)) + content


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_frames_are_found_whatever_the_pieces(size: int) -> None:
    sent = frames.encode(b"O", 0, b"hello") + frames.encode(b"R", 9001) + frames.encode(b"X", 0, b"0 1 0")
    stream = multiplexed(sent[:3]) + multiplexed(b"oops", 2) + multiplexed(sent[3:])
    demultiplexer = Demultiplexer()
    found = []
    for at in range(0, len(stream), size):
        found += demultiplexer.feed(stream[at : at + size])
    assert found == [(b"O", 0, b"hello"), (b"R", 9001, b""), (b"X", 0, b"0 1 0")]
    assert demultiplexer.stderr == b"oops"


def test_a_large_message_goes_in_pieces() -> None:
    stream = frames.data(3, b"x" * 200_000)
    found = list(Demultiplexer().feed(multiplexed(stream)))
    assert [len(payload) for _, _, payload in found] == [65536, 65536, 65536, 3392]
    assert {(kind, number) for kind, number, _ in found} == {(b"D", 3)}


def test_a_start_holds_every_word() -> None:
    root = Rootfs(layers=())
    spec = SandboxSpec(
        rootfs=root, entrypoint=(), command=(), working_dir="/var/task", environment={}, memory_mb=1
    )
    frame = frames.start(spec, ["/x", "a b"], {"N": "v=1", "_HANDLER": "h"}, ["/opt/extensions/e"])
    [(kind, _, payload)] = Demultiplexer().feed(multiplexed(frame))
    assert kind == b"S"
    words = ["1048576", "/var/task", "2", "/x", "a b", "2", "N=v=1", "_HANDLER=h", "1", "/opt/extensions/e"]
    assert payload.decode().split("\0") == [*words, "1", "N=v=1", ""]


def test_a_failure_says_where_and_why() -> None:
    found = frames.failure(b"\0".join([b"exec", b"2", b"No such file or directory"]))
    assert found == LaunchFailure(stage="exec", errno=2, text="No such file or directory")


@pytest.mark.parametrize(
    ("payload", "code", "oom"), [(b"3 4096 0", 3, False), (b"-9 4096 1", -9, True), (b"-6 4096 0", -6, False)]
)
def test_an_end_says_how(payload: bytes, code: int, oom: bool) -> None:
    assert frames.exit_status(payload, None) == ExitStatus(code=code, max_rss_bytes=4096, oom_killed=oom)


def test_a_peek_shows_the_process() -> None:
    command, variables = b"/bin/python\0-m\0app\0", b"PATH=/bin\0A=b=c\0"
    payload = b"/bin/python\0/var/task\0%d\0" % len(command) + command + variables
    assert frames.peek(payload) == Peek(
        executable="/bin/python",
        argv=("/bin/python", "-m", "app"),
        environment={"PATH": "/bin", "A": "b=c"},
        working_dir="/var/task",
    )
    assert frames.peek(b"") is None

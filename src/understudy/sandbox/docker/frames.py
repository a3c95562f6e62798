"""What travels between the engine and process 1 of a container; `holder/holder.c` is the other side.

A frame is a type, a number and a payload.

To the container: ``S`` start a process, ``K`` send signal NUMBER to every process, ``P`` peek, ``A`` answer a
datagram of listener NUMBER, ``Z`` end.

From it: ``R`` ready, the first listener's port is NUMBER; ``F`` something failed; ``O`` output; ``X`` the
process ended; ``P`` what it looks like; ``M`` highest memory so far, in KB; ``N`` connection NUMBER opened;
``Q`` a datagram came in at listener NUMBER.

Either way, of connection NUMBER: ``D`` data, ``E`` end of sending, ``C`` closed. To it: ``B`` abort.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from understudy.sandbox import model
from understudy.sandbox.executor import Peek
from understudy.sandbox.model import ExitStatus, LaunchFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from understudy.sandbox.model import SandboxSpec

_HEAD = struct.Struct(">cII")
_DOCKER_HEAD = struct.Struct(">BxxxI")
_STDOUT = 1
# Small, so that neither side keeps more than a piece of a large message in memory.
_PIECE = 65536


def encode(kind: bytes, number: int = 0, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(kind, number, len(payload)) + payload


def data(number: int, content: bytes) -> bytes:
    """The frames that carry `content` to connection `number`."""
    pieces = range(0, len(content), _PIECE)
    return b"".join(encode(b"D", number, content[at : at + _PIECE]) for at in pieces)


def start(
    spec: SandboxSpec, argv: Sequence[str], environment: Mapping[str, str], extensions: Sequence[str]
) -> bytes:
    """The frame that starts a process.

    Args:
        spec: says directory and memory.
        argv: the command.
        environment: complete.
        extensions: what is started before it, and has to register.
    """
    words = [str(spec.memory_mb << 20), spec.working_dir or "/"]
    beside = model.extension_environment(environment)
    for each in (argv, _variables(environment), extensions, _variables(beside)):
        words += [str(len(each)), *each]
    return encode(b"S", 0, b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words))


def _variables(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


class Demultiplexer:
    """Takes a container's output as Docker multiplexes it and gives the frames in it.

    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach; what
    the container writes to stderr is kept, for process 1 writes nothing there.
    """

    def __init__(self) -> None:
        self.stderr = b""
        self._multiplexed = bytearray()
        self._frames = bytearray()

    def feed(self, content: bytes) -> Iterator[tuple[bytes, int, bytes]]:
        """The frames that `content` completes: type, number, payload."""
        waiting = self._multiplexed
        waiting += content
        at = 0
        while len(waiting) - at >= _DOCKER_HEAD.size:
            stream, length = _DOCKER_HEAD.unpack_from(waiting, at)
            end = at + _DOCKER_HEAD.size + length
            if len(waiting) < end:
                break
            piece = waiting[at + _DOCKER_HEAD.size : end]
            at = end
            if stream == _STDOUT:
                self._frames += piece
            else:
                self.stderr += piece
        del waiting[:at]
        yield from self._complete()

    def _complete(self) -> Iterator[tuple[bytes, int, bytes]]:
        frames = self._frames
        at = 0
        found = []
        while len(frames) - at >= _HEAD.size:
            kind, number, length = _HEAD.unpack_from(frames, at)
            end = at + _HEAD.size + length
            if len(frames) < end:
                break
            found.append((kind, number, bytes(frames[at + _HEAD.size : end])))
            at = end
        del frames[:at]
        return iter(found)


def failure(payload: bytes) -> LaunchFailure:
    """What a frame ``F`` says."""
    stage, number, text = payload.decode("utf-8", "replace").split("\0", 2)
    return LaunchFailure(stage=stage, errno=int(number), text=text)


def exit_status(payload: bytes, failed: LaunchFailure | None) -> ExitStatus:
    """What a frame ``X`` says."""
    code, max_rss_bytes, oom = (int(word) for word in payload.split())
    return ExitStatus(code=code, failed=failed, max_rss_bytes=max_rss_bytes, oom_killed=bool(oom))


def peek(payload: bytes) -> Peek | None:
    """What a frame ``P`` says; `None` when there is no process."""
    if not payload:
        return None
    executable, working_dir, size, rest = payload.split(b"\0", 3)
    command, variables = rest[: int(size)], rest[int(size) :].decode("utf-8", "surrogateescape")
    return Peek(
        executable=executable.decode("utf-8", "surrogateescape"),
        argv=tuple(command.decode("utf-8", "surrogateescape").split("\0")[:-1]),
        environment=dict(pair.split("=", 1) for pair in variables.split("\0") if "=" in pair),
        working_dir=working_dir.decode("utf-8", "surrogateescape"),
    )

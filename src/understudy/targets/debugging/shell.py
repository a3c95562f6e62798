"""A program of the user's in a function's sandbox: same root, user, limits and environment, no handler.

On a terminal it is given one, so that a shell is a shell; otherwise its output is passed on as it comes.
"""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.sandbox import executors
from understudy.sandbox.executor import Sandbox
from understudy.sandbox.model import ExitStatus, SandboxSpec
from understudy.sandbox.namespace_sandbox import NamespaceSandbox

_CHUNK = 65536
_SHELLS = ("/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/busybox/sh")
_SIZE = "HHHH"


def shell_of(spec: SandboxSpec) -> str:
    """The best shell that an image has; ``/bin/sh`` where none was found, so that its absence is told."""
    for path in _SHELLS:
        if any((layer / path.lstrip("/")).exists() for layer in spec.rootfs.layers):
            return path
    return "/bin/sh"


def run(spec: SandboxSpec, argv: Sequence[str], state_dir: Path) -> int:
    """Runs `argv` in a sandbox for `spec`; its exit status, or 128 and the signal that ended it.

    Raises:
        UnderstudyError: this machine cannot isolate, or its executor has no terminals.
    """
    return asyncio.run(_run(spec, argv, state_dir, terminal=sys.stdin.isatty() and sys.stdout.isatty()))


async def _run(spec: SandboxSpec, argv: Sequence[str], state_dir: Path, *, terminal: bool) -> int:
    executor = executors.make(executors.chosen(os.environ), state_dir)
    try:
        await executor.open()
        sandbox = await executor.prepare(spec)
        status = await (_on_terminal(sandbox, argv) if terminal else _plain(sandbox, spec, argv))
    finally:
        await executor.close()
    if status.failed is not None:
        sys.stderr.write(f"{argv[0]}: {status.failed.text}\n")
        return 127
    return 128 - status.code if status.code < 0 else status.code


async def _plain(sandbox: Sandbox, spec: SandboxSpec, argv: Sequence[str]) -> ExitStatus:
    return await sandbox.start(argv, spec.environment, _write).wait()


async def _on_terminal(sandbox: Sandbox, argv: Sequence[str]) -> ExitStatus:
    """Joins the user's terminal to one of the program's own."""
    if not isinstance(sandbox, NamespaceSandbox):
        raise UnderstudyError(
            "shell-terminal",
            "a container of the executor docker has no terminal for a shell",
            hint="./understudy shell -- COMMAND, or on Linux: unset UNDERSTUDY_EXECUTOR",
        )
    ours, theirs = pty.openpty()
    environment = {**sandbox.spec.environment, "TERM": os.environ.get("TERM", "dumb")}
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, ours)
        _copy_size(ours)
        try:
            process = sandbox.start(argv, environment, _write, terminal=theirs)
        finally:
            os.close(theirs)
        stack.enter_context(_raw(sys.stdin.fileno()))
        loop.add_signal_handler(signal.SIGWINCH, _copy_size, ours)
        stack.callback(loop.remove_signal_handler, signal.SIGWINCH)
        loop.add_reader(sys.stdin.fileno(), _pass, sys.stdin.fileno(), ours)
        stack.callback(loop.remove_reader, sys.stdin.fileno())
        loop.add_reader(ours, _pass, ours, sys.stdout.fileno())
        stack.callback(loop.remove_reader, ours)
        status = await process.wait()
        loop.remove_reader(ours)
        while _pass(ours, sys.stdout.fileno()):
            pass
        return status


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """The terminal passes keys on as they are typed, until this ends."""
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _copy_size(terminal: int) -> None:
    size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, struct.pack(_SIZE, 0, 0, 0, 0))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)


def _pass(source: int, target: int) -> bool:
    """Passes on what is there; whether anything was. A terminal whose program ended fails to be read."""
    try:
        data = os.read(source, _CHUNK)
    except OSError:
        data = b""
    if not data:
        asyncio.get_running_loop().remove_reader(source)
        return False
    os.write(target, data)
    return True


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()

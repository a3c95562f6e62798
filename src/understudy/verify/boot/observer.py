"""Runs inside the image, before anything else of it: tells what init does besides importing modules.

Its text is laid over ``sitecustomize.py`` of the image's interpreter for one boot, the observed one; the boot
that decides about the image never sees it. Standard library only, any Python from 3.8; imports nothing that
the interpreter has not loaded already, so that the order of the image's own imports stays as it is. Audit
hooks (PEP 578) tell before the call and cost little: what is not in the table is looked up and forgotten.
"""

# Runs in another interpreter, where the house's helpers do not exist and nothing may be raised.
# ruff: noqa: ANN401, BLE001, PTH109, PTH112, PTH120, S108, S110

from __future__ import annotations

import _thread
import faulthandler
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Type checkers believe the name; at run time `typing` would bring a dozen modules along.
    from types import FrameType
    from typing import Any

MARK = "understudy-observed:"
SIGNAL = 62
_FRAMES_AT_MOST = 16
_TEXT_AT_MOST = 300
_LINES_AT_MOST = 400
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HARMLESS = ("/tmp/", "/dev/", "/proc/")
_DATAGRAM = 2


class Observer:
    """Writes one line per observation to a copy of stderr."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._library = os.path.dirname(os.__file__) + "/"
        self._left = _LINES_AT_MOST
        self._busy = False
        self._runtime_api = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")

    def hook(self, event: str, args: Any) -> None:
        """Receives every audit event."""
        read = _READERS.get(event)
        if read is None or self._busy or self._left <= 0:
            return
        self._busy = True
        try:
            found = read(args)
            if found is not None and found[1] != self._runtime_api:
                self.tell(*found)
        except Exception:
            # An observation is never worth a failing import.
            pass
        finally:
            self._busy = False

    def tell(self, kind: str, what: str) -> None:
        """Writes one observation, short enough to be one piece in the pipe."""
        self._left -= 1
        line = repr((os.getpid(), kind, what[:_TEXT_AT_MOST], self._frames(), time.monotonic()))
        os.write(self._output, ("\n" + MARK + line + "\n").encode("utf-8", "backslashreplace"))

    def _frames(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and len(found) < _FRAMES_AT_MOST:
            path = frame.f_code.co_filename
            if not path.startswith("<") and path != __file__ and not self._standard(path):
                found.append((path[:_TEXT_AT_MOST], frame.f_lineno))
            frame = frame.f_back
        return found

    def _standard(self, path: str) -> bool:
        return path.startswith(self._library) and "/site-packages/" not in path


def _outside(path: Any) -> Any:
    """The path when a write there fails on Lambda; bytecode that Python tries to keep does not count."""
    if isinstance(path, int):
        return None
    text = os.fsdecode(path)
    full = os.path.normpath(text if text.startswith("/") else os.getcwd() + "/" + text)
    if full.startswith(_HARMLESS) or full == "/tmp" or "__pycache__" in full or ".pyc" in full:
        return None
    return "write", full


def _open(args: Any) -> Any:
    flags = args[2]
    return _outside(args[0]) if isinstance(flags, int) and flags & _WRITING else None


def _mkdir(args: Any) -> Any:
    # One that is there already fails the same way everywhere.
    return None if os.path.isdir(args[0]) else _outside(args[0])


def _change(args: Any) -> Any:
    return _outside(args[0]) if os.path.lexists(args[0]) else None


def _link(args: Any) -> Any:
    return _outside(args[1])


def _connect(args: Any) -> Any:
    sock, address = args[0], args[1]
    if not isinstance(address, tuple) or len(address) < 2:
        return None
    datagram = getattr(sock, "type", 0) == _DATAGRAM
    return "connect", "%s:%s%s" % (address[0], address[1], "/udp" if datagram else "")  # noqa: UP031 - any 3


def _lookup(args: Any) -> Any:
    host = args[0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    asked = isinstance(host, str) and host not in {"", os.uname().nodename}
    return ("lookup", host) if asked else None


def _popen(args: Any) -> Any:
    words = args[1]
    text = words if isinstance(words, (str, bytes)) else " ".join(map(os.fsdecode, words))
    return "subprocess", os.fsdecode(text)


def _spawn(args: Any) -> Any:
    return "subprocess", " ".join(map(os.fsdecode, args[1]))


def _system(args: Any) -> Any:
    return "subprocess", os.fsdecode(args[0])


def _fork(_: Any) -> Any:
    return "subprocess", "os.fork()"


def _thread_start(args: Any) -> Any:
    thread = getattr(args[0], "__self__", None)
    target = getattr(thread, "_target", None) or args[0]
    name = getattr(target, "__qualname__", None) or type(target).__name__
    return "thread", "%s (%s)" % (getattr(thread, "_name", "thread"), name)  # noqa: UP031 - as above


_READERS = {
    "open": _open,
    "os.mkdir": _mkdir,
    "os.rename": _change,
    "os.remove": _change,
    "os.rmdir": _change,
    "os.truncate": _change,
    "os.symlink": _link,
    "os.link": _link,
    "socket.connect": _connect,
    "socket.sendto": _connect,
    "socket.getaddrinfo": _lookup,
    "socket.gethostbyname": _lookup,
    "subprocess.Popen": _popen,
    "os.posix_spawn": _spawn,
    "os.system": _system,
    "os.fork": _fork,
    "os.forkpty": _fork,
    "_thread.start_new_thread": _thread_start,
    "_thread.start_joinable_thread": _thread_start,
}


def _watch_threads(observer: Observer) -> None:
    """Stands in for the audit event, which Python before 3.12 does not raise."""
    original = _thread.start_new_thread

    def start(function: Any, *args: Any) -> Any:
        observer.tell(*_thread_start((function, *args)))
        return original(function, *args)

    _thread.start_new_thread = _thread.start_new = start
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._start_new_thread = start  # type: ignore[attr-defined]  # its own copy of the name


def _watch_exit(observer: Observer, module: Any, name: str) -> None:
    original = getattr(module, name)

    def leave(*args: Any) -> Any:
        observer.tell("exit", "%s.%s(%s)" % (module.__name__, name, ", ".join(map(repr, args))))  # noqa: UP031
        return original(*args)

    setattr(module, name, leave)


def install(dump_after_s: float = 0.0) -> None:
    """Starts observing this process.

    Args:
        dump_after_s: when to write where every thread stands; 0 for never.
    """
    output = os.dup(2)
    observer = Observer(output)
    observer.tell("ready", sys.executable or "")
    faulthandler.enable(output)
    faulthandler.register(SIGNAL, output, all_threads=True, chain=False)
    if dump_after_s:
        faulthandler.dump_traceback_later(dump_after_s, file=output)
    _watch_exit(observer, sys, "exit")
    _watch_exit(observer, os, "_exit")
    if sys.version_info < (3, 12):
        _watch_threads(observer)
    sys.addaudithook(observer.hook)

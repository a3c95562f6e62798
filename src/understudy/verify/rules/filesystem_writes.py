"""What the user's code writes at import, and the process locks it makes, as far as its text shows.

Only constant paths count. What is surely evaluated and not caught fails; what a test for existence guards may
fail; the rest is told as information, because a condition may keep it away from Lambda.
"""

import ast
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.rules import entry_code, entry_user_code
from understudy.verify.rules import filesystem_rules as rules
from understudy.verify.rules.entry_code import Executed
from understudy.verify.rules.entry_user_code import UserModule
from understudy.verify.rules.filesystem_paths import Paths
from understudy.verify.rules.found import found

# /mnt is where Lambda mounts EFS.
_WRITABLE = ("/tmp/", "/mnt/", "/dev/", "/proc/")  # noqa: S108 - Lambda's own /tmp
_OPENERS = frozenset({"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"})
_FIRST_ARGUMENT = frozenset(
    {
        "os.makedirs", "os.mkdir", "os.remove", "os.unlink", "os.rmdir", "os.removedirs", "os.truncate",
        "os.mkfifo", "shutil.rmtree",
    }
)  # fmt: skip
_SECOND_ARGUMENT = frozenset(
    {
        "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move", "os.rename",
        "os.replace", "os.symlink", "os.link", "urllib.request.urlretrieve",
    }
)  # fmt: skip
# Their errors name both files.
_TWO_NAMES = frozenset({"os.rename", "os.replace", "os.symlink", "os.link"})
_HANDLERS = frozenset(
    {
        "logging.FileHandler", "logging.handlers.RotatingFileHandler", "logging.handlers.WatchedFileHandler",
        "logging.handlers.TimedRotatingFileHandler",
    }
)  # fmt: skip
_METHODS = frozenset({"mkdir", "touch", "write_text", "write_bytes", "unlink", "rmdir", "symlink_to"})
_CREATES_DIRECTORY = frozenset({"mkdir", "os.makedirs", "os.mkdir"})
_SEMAPHORES = frozenset(
    {
        "Queue", "JoinableQueue", "SimpleQueue", "Pool", "Lock", "RLock", "Semaphore", "BoundedSemaphore",
        "Condition", "Event", "Barrier", "Value", "Array", "RawValue", "RawArray",
    }
)  # fmt: skip
# They look for room in the directory before they make a file (multiprocessing/heap.py).
_MAPPED = frozenset(
    f"multiprocessing.{name}" for name in ("Barrier", "Value", "Array", "RawValue", "RawArray")
)
_CONTEXTS = frozenset({"multiprocessing.get_context", "get_context"})
# Without one of these a module has nothing to look at.
_WORDS = (
    b"open", b"mkdir", b"makedirs", b"touch", b"write_", b"unlink", b"remove", b"rmdir", b"rename",
    b"replace", b"symlink", b"Handler", b"basicConfig", b"sqlite3", b"shutil", b"urlretrieve",
    b"multiprocessing", b"ProcessPoolExecutor",
)  # fmt: skip
_OS_ERRORS = ("OSError", "IOError", "EnvironmentError", "PermissionError", "FileNotFoundError")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    """A call that changes the file system.

    Attributes:
        call: as the message names it.
        path: absolute.
        text: AWS's text.
    """

    call: str
    path: str
    text: str


def check(subject: Subject) -> Iterator[Finding]:
    """Yields writes outside /tmp and process locks at import."""
    for module in entry_user_code.modules(subject):
        if module.has(*_WORDS):
            yield from _module(subject, module)


def _module(subject: Subject, module: UserModule) -> Iterator[Finding]:
    paths = Paths(module)
    seen: set[tuple[str, int]] = set()
    for item in module.executed:
        node = item.node
        if not isinstance(node, ast.Call) or item.survives(*_OS_ERRORS):
            continue
        write = _write(subject, node, paths)
        if write is not None and (write.path, node.lineno) not in seen:
            seen.add((write.path, node.lineno))
            yield _written(subject, module, item, write)
        shared = _shared(node, paths)
        if shared and (shared, node.lineno) not in seen:
            seen.add((shared, node.lineno))
            yield _locked(subject, module, item, shared)


def _severity(module: UserModule, item: Executed) -> Severity:
    if module.sure and item.sure:
        return Severity.FAILS
    return Severity.MAY_FAIL if module.sure and item.tested else Severity.INFO


def _written(subject: Subject, module: UserModule, item: Executed, write: _Write) -> Finding:
    better = posixpath.join("/tmp", posixpath.basename(write.path))  # noqa: S108 - Lambda's own /tmp
    return found(
        rules.WRITE,
        places=[subject.place(module.path, line=item.node.lineno)],
        message=f"{write.call} in {module.name} writes {write.path} at import, and only /tmp can be written",
        fix=f"change {write.path} to {better} in {module.path}, line {item.node.lineno}",
        aws_text=write.text,
        severity=_severity(module, item),
    )


def _locked(subject: Subject, module: UserModule, item: Executed, shared: str) -> Finding:
    return found(
        rules.SHARED_MEMORY,
        places=[subject.place(module.path, line=item.node.lineno)],
        message=f"{shared} in {module.name} needs /dev/shm at import, which Lambda does not have",
        aws_text=rules.SHARED_MEMORY.aws_text + (": '/dev/shm'" if shared in _MAPPED else ""),
        severity=_severity(module, item),
    )


def _write(subject: Subject, node: ast.Call, paths: Paths) -> _Write | None:
    called, target = _target(node, paths)
    path = paths.of(target)
    if path is None or path == "/tmp" or path.startswith(_WRITABLE):  # noqa: S108 - Lambda's own /tmp
        return None
    existing = subject.files.resolve(path)
    short = called.rpartition(".")[2]
    if called in _CREATES_DIRECTORY or short in _CREATES_DIRECTORY:
        if existing is not None:
            return None
        parents = called == "os.makedirs" or _true(node, "parents")
        return _Write(call=called, path=path, text=_text(subject, path, parents=parents))
    if called == "shutil.rmtree":
        # Everything else that removes asks for a writable file system before it looks for the file.
        return (
            None
            if existing is None or _true(node, "ignore_errors")
            else _Write(call=called, path=path, text=_text(subject, path))
        )
    if called == "sqlite3.connect":
        text = "OperationalError: unable to open database file"
        return None if existing is not None else _Write(call=called, path=path, text=text)
    text = _text(subject, path)
    source = paths.of(node.args[0]) if called in _TWO_NAMES and node.args else None
    return _Write(
        call=called, path=path, text=text.replace(f"'{path}'", f"'{source}' -> '{path}'") if source else text
    )


def _text(subject: Subject, path: str, *, parents: bool = False) -> str:
    """The kernel looks for the parent before it sees that the file system is read-only."""
    parent = posixpath.dirname(path)
    if not parents and subject.files.resolve(parent) is None:
        return f"FileNotFoundError: [Errno 2] No such file or directory: '{path}'"
    while parents and subject.files.resolve(parent) is None:
        path, parent = parent, posixpath.dirname(parent)
    return f"OSError: [Errno 30] Read-only file system: '{path}'"


def _target(node: ast.Call, paths: Paths) -> tuple[str, ast.expr | None]:
    """What is called and the argument that is written to, if it is written to."""
    called = entry_code.full_name(node.func, paths.names)
    first = node.args[0] if node.args else None
    target = None
    if called in _OPENERS:
        target = (first or _keyword(node, "file")) if _writes(node, 1) else None
    elif called in _FIRST_ARGUMENT:
        target = first or _keyword(node, "name") or _keyword(node, "path")
    elif called in _SECOND_ARGUMENT:
        target = node.args[1] if len(node.args) > 1 else _keyword(node, "dst")
    elif called in _HANDLERS:
        target = None if _true(node, "delay") else first or _keyword(node, "filename")
    elif called == "logging.basicConfig":
        target = _keyword(node, "filename")
    elif called == "sqlite3.connect":
        text = entry_code.constant(first)
        target = None if text in ("", ":memory:") or text.startswith("file:") else first
    else:
        return _method(node, called, paths)
    return called, target


def _method(node: ast.Call, called: str, paths: Paths) -> tuple[str, ast.expr | None]:
    """Methods of path objects."""
    function = node.func
    if not isinstance(function, ast.Attribute) or not paths.is_path(function.value):
        return called, None
    if isinstance(function.value, ast.Constant):
        return called, None
    if function.attr == "open":
        return "Path.open", function.value if _writes(node, 0) else None
    if function.attr in _METHODS:
        return f"Path.{function.attr}", function.value
    return called, None


def _writes(node: ast.Call, position: int) -> bool:
    mode = node.args[position] if len(node.args) > position else _keyword(node, "mode")
    return not set(entry_code.constant(mode)).isdisjoint("wax+")


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in node.keywords if word.arg == name), None)


def _true(node: ast.Call, name: str) -> bool:
    value = _keyword(node, name)
    return isinstance(value, ast.Constant) and value.value is True


def _shared(node: ast.Call, paths: Paths) -> str:
    """The name of the process lock that `node` makes; empty when it makes none."""
    called = entry_code.full_name(node.func, paths.names)
    if called.endswith("ProcessPoolExecutor") and called.startswith("concurrent.futures"):
        return "ProcessPoolExecutor"
    if called == "multiprocessing.shared_memory.SharedMemory":
        return "SharedMemory"
    module, _, name = called.rpartition(".")
    if not module and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        context = entry_code.full_name(node.func.value.func, paths.names)
        module, name = ("multiprocessing", node.func.attr) if context in _CONTEXTS else ("", "")
    if module != "multiprocessing" or name not in _SEMAPHORES:
        return ""
    return f"multiprocessing.{name}"

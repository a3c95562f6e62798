"""What the kernel makes of a program: finds it, follows its shebang, and says why execve would refuse it.

One question for the entry point, for AWS's bootstrap, the exec wrapper and every extension; the callers turn
the answer into their own finding. Pure.
"""

import posixpath
from dataclasses import dataclass
from enum import Enum

from understudy.verify.model import Elf, Files, Node, Subject
from understudy.verify.python import startup
from understudy.verify.rules import filesystem_access as access

_SHEBANG_BYTES = 256
_SHEBANG_DEPTH = 4
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Cause(Enum):
    """Why a program does not start."""

    MISSING = "missing"
    NOT_EXECUTABLE = "not executable"
    INTERPRETER_MISSING = "interpreter missing"
    LOADER_MISSING = "loader missing"
    CARRIAGE_RETURN = "carriage return"
    NO_SHEBANG = "no shebang"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a program does not start.

    Attributes:
        path: the file to blame: the program, or a directory or interpreter on the way.
        text: subject first, as messages are.
        reason: the kernel's word for it, in Go's spelling.
        exit_status: when the program starts and gives up by itself, its exit status; 0 when execve fails.
        wanted: the missing interpreter or the machine found, where the cause has one.
    """

    cause: Cause
    path: str
    text: str
    reason: str
    exit_status: int = 0
    wanted: str = ""

    def aws_text(self, program: str) -> str:
        """What AWS shows when `program` is the entry point."""
        if self.exit_status:
            return f"Runtime.ExitError: Runtime exited with error: exit status {self.exit_status}"
        return f"Runtime.InvalidEntrypoint: fork/exec {program}: {self.reason}"


def machine(subject: Subject) -> str:
    """The processor that the image's binaries must be for, ``x86_64`` or ``arm64``.

    Empty where image and function name two: the rules about the registry tell which one the binaries fit.
    """
    wanted = subject.launch.architecture
    return subject.architecture if wanted in (None, subject.architecture) else ""


def obstacle(subject: Subject, path: str, depth: int = 0) -> Obstacle | None:
    """Why Lambda's user cannot execute the file at the absolute `path`; `None` when it can."""
    files = subject.files
    blocked = access.barrier(files, path)
    if blocked is not None:
        return _denied(blocked.path, f"directory {blocked.path} has mode {access.octal(blocked)}")
    node = files.resolve(path)
    if node is None:
        return Obstacle(cause=Cause.MISSING, path=path, text=_missing(files, path), reason=_NO_FILE)
    if node.kind != "file" or not access.allows(node, access.EXECUTE):
        return _denied(node.path, f"{path} has mode {access.octal(node)}" if node.kind == "file" else path)
    return _content(subject, path, node, depth)


def _content(subject: Subject, path: str, node: Node, depth: int) -> Obstacle | None:
    head = subject.files.head(node.path)
    if head.startswith(b"\x7fELF"):
        return _binary(subject, path, subject.files.elf(node.path))
    if not head.startswith(b"#!"):
        return _plain_text(path, head)
    blocked = _script(subject, path, head, depth)
    if blocked is None and not access.allows(node, access.READ):
        shell = subject.files.resolve(head[2:_SHEBANG_BYTES].split()[0].decode("utf-8", "replace"))
        # The kernel starts the interpreter, which then cannot open the script.
        status = 126 if shell is not None and posixpath.basename(shell.path) == "bash" else 2
        return _denied(node.path, f"{path} is a script with mode {access.octal(node)}", exit_status=status)
    return blocked


def _denied(path: str, text: str, *, exit_status: int = 0) -> Obstacle:
    expected = ", expected 0755" if " mode " in text else " is a directory, expected a program"
    return Obstacle(
        cause=Cause.NOT_EXECUTABLE,
        path=path,
        text=text + expected,
        reason="permission denied",
        exit_status=exit_status,
    )


_NO_FILE = "no such file or directory"


def _missing(files: Files, path: str) -> str:
    node = files.get(path)
    if node is not None and node.kind == "symlink":
        return f"{path} is a link to {node.link}, which does not exist"
    folder, name = posixpath.split(path)
    other = next((item for item in files.names(folder) if item.lower() == name.lower()), "")
    return f"{path} does not exist" + (f", {posixpath.join(folder, other)} does" if other else "")


def _binary(subject: Subject, path: str, elf: Elf | None) -> Obstacle | None:
    if elf is None or elf.damaged:
        return None
    wanted = machine(subject)
    if wanted in ("x86_64", "arm64") and elf.machine != wanted:
        return Obstacle(
            cause=Cause.MACHINE,
            path=path,
            text=f"{path} is a binary for {elf.machine}, expected {wanted}",
            reason="exec format error",
            wanted=elf.machine,
        )
    loader = elf.interpreter
    if loader and subject.files.resolve(loader) is None:
        return Obstacle(
            cause=Cause.LOADER_MISSING,
            path=path,
            text=f"{path} needs the loader {loader}, which the image does not have",
            reason=_NO_FILE,
            wanted=loader,
        )
    return None


def _plain_text(path: str, head: bytes) -> Obstacle | None:
    what = "names no program in its first line" if not head else "does not begin with #! and is no binary"
    if head.startswith(_BYTE_ORDER_MARK + b"#!"):
        what = "begins with a byte order mark, so the kernel does not see its #!"
    return Obstacle(cause=Cause.NO_SHEBANG, path=path, text=f"{path} {what}", reason="exec format error")


def _script(subject: Subject, path: str, head: bytes, depth: int) -> Obstacle | None:
    """Follows the first line of a script."""
    line = head[2:_SHEBANG_BYTES].split(b"\n", 1)[0].decode("utf-8", "replace")
    name, _, argument = line.strip(" \t").partition(" ")
    if not name:
        return _plain_text(path, b"")
    argument = argument.strip(" \t")
    is_env = posixpath.basename(name) == "env"
    if line.endswith("\r"):
        status = 0 if not argument else 127 if is_env else 2
        return Obstacle(
            cause=Cause.CARRIAGE_RETURN,
            path=path,
            text=f"{path} has Windows line endings: the kernel looks for {line.strip(' ')!r}",
            reason=_NO_FILE,
            exit_status=status,
        )
    return _interpreter(subject, path, name, depth) or (_env(subject, path, argument) if is_env else None)


def _interpreter(subject: Subject, path: str, name: str, depth: int) -> Obstacle | None:
    target = posixpath.join(subject.launch.working_dir or "/", name)
    if not name or depth >= _SHEBANG_DEPTH:
        return None
    deeper = obstacle(subject, target, depth + 1)
    if deeper is None or deeper.cause is Cause.NO_SHEBANG:
        return None
    if deeper.cause is Cause.MISSING:
        return Obstacle(
            cause=Cause.INTERPRETER_MISSING,
            path=path,
            text=f"{path} begins with #!{name}, which the image does not have",
            reason=_NO_FILE,
            wanted=name,
        )
    return deeper


def _env(subject: Subject, path: str, argument: str) -> Obstacle | None:
    """The program that ``#!/usr/bin/env PROGRAM`` looks for on PATH."""
    words = [word for word in argument.split() if not word.startswith("-") and "=" not in word]
    launch = subject.launch
    if not words or "/" in words[0]:
        return None
    if startup.which(subject.files, words[0], launch.environment, launch.working_dir) is not None:
        return None
    return Obstacle(
        cause=Cause.INTERPRETER_MISSING,
        path=path,
        text=f"{path} begins with #!/usr/bin/env {argument}, and no {words[0]} is on PATH",
        reason=_NO_FILE,
        exit_status=127,
        wanted=words[0],
    )

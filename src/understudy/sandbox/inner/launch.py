"""Turns a forked child into the program that a start request names; runs inside the finished root.

Refuses to return: it ends in `execve` or, after telling the engine why, in `_exit`.
"""

# Paths are relative to a root that changes under the process; see the package's docstring.
# ruff: noqa: PTH110, PTH112, PTH118, PTH123

import errno
import fcntl
import json
import os
import resource
import signal
import socket
import termios
from typing import Any, NoReturn

from . import linux, messages

EXEC_FAILED = 127


def wait(link: socket.socket, report: socket.socket, groups: list[int]) -> NoReturn:
    """Joins the control groups at once and becomes a program when told to.

    Args:
        link: brings a request as `run` takes it and where stdout and stderr go; its end is the end.
        report: see `run`.
        groups: the `cgroup.procs` files to enter.
    """
    failure: OSError | None = None
    try:
        for group in groups:
            os.write(group, b"0")
            os.close(group)
    except OSError as error:
        failure = error
    try:
        message, descriptors = messages.receive(link)
        if message and failure is not None:
            _tell(report, "cgroup", failure.errno or 0, failure.strerror or str(failure))
        elif message:
            run(messages.read(descriptors[0]), report, descriptors[1:])
    finally:
        os._exit(EXEC_FAILED)


def run(request: dict[str, Any], report: socket.socket, descriptors: list[int]) -> NoReturn:
    """Becomes the program of `request`.

    Args:
        request: `argv`, `env`, `cwd`, `user`, `set_groups`, `rlimits`, `capabilities`, `no_new_privileges`,
            `cpus`, `umask`; `extensions` and `extension_env`, if any.
        report: socket on which a failure is told.
        descriptors: where stdout and stderr go, and where stdin comes from if that is a terminal; then the
            `cgroup.procs` files to enter.
    """
    stage = "cgroup"
    try:
        output, *groups = descriptors
        for group in groups:
            os.write(group, b"0")
        stage = "limits"
        _prepare(request, output)
        report.send(b'{"pid": true}')
        stage = "user"
        _become(request)
        if request.get("extensions"):
            stage = "extension"
            for path in request["extensions"]:
                _accompany(path, request["extension_env"])
            _await_registration(request["env"])
        stage = "cwd"
        os.chdir(request["cwd"])
        stage = "exec"
        _execute(request["argv"], request["env"])
    except OSError as error:
        text = error.filename if stage == "extension" else error.strerror
        _tell(report, stage, error.errno or 0, text or str(error))
    except (ValueError, LookupError) as error:
        _tell(report, stage, 0, str(error))
    finally:
        # Whatever happened, this copy of process 1 must never go on as process 1.
        os._exit(EXEC_FAILED)


def _tell(report: socket.socket, stage: str, number: int, text: str) -> None:
    report.send(json.dumps({"failed": stage, "errno": number, "text": text}).encode())


def _prepare(request: dict[str, Any], output: int) -> None:
    os.setsid()
    os.umask(request["umask"])
    for name, limits in request["rlimits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        try:
            resource.setrlimit(kind, tuple(limits))
        except (ValueError, OSError):
            # Only real root may raise a hard limit; the caller's own, lower limit stays in force.
            ceiling = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (_at_most(limits[0], ceiling), _at_most(limits[1], ceiling)))
    if request["cpus"]:
        os.sched_setaffinity(0, request["cpus"])
    if os.isatty(output):
        source = output
        fcntl.ioctl(output, termios.TIOCSCTTY, 0)
    else:
        source = os.open("/dev/null", os.O_RDONLY)
    os.dup2(source, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # Python ignores these at start; the program must find the defaults (execve keeps ignored signals).
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)


def _accompany(path: str, env: dict[str, str]) -> None:
    """Starts an extension beside this process, as a child of process 1; raises when it cannot be executed."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            try:
                os.chdir("/")
                os.execve(path, [path], env)  # noqa: S606 - this is the launcher
            except OSError as error:
                os.write(writing, str(error.errno or 0).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    failed = os.read(reading, 16)
    os.close(reading)
    if failed:
        raise OSError(int(failed), os.strerror(int(failed)), path)


def _await_registration(env: dict[str, str]) -> None:
    """Lambda starts the runtime when its extensions have registered; who waits for them in vain is killed."""
    host, _, port = env.get("AWS_LAMBDA_RUNTIME_API", "").rpartition(":")
    # Not create_connection: that imports a codec, which this root does not have.
    with socket.socket() as connection:
        connection.connect((host, int(port)))
        connection.sendall(b"GET /understudy/extensions HTTP/1.1\r\nHost: runtime\r\n\r\n")
        connection.recv(1)


def _at_most(limit: int, ceiling: int) -> int:
    if ceiling == resource.RLIM_INFINITY:
        return limit
    return ceiling if limit == resource.RLIM_INFINITY else min(limit, ceiling)


def _become(request: dict[str, Any]) -> None:
    user, group, others = _identity(request["user"])
    keep = request["capabilities"]
    linux.limit_capabilities(keep)
    if request["set_groups"]:
        os.setgroups(others)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    linux.set_capabilities(keep if user == 0 else 0)
    if request["no_new_privileges"]:
        linux.forbid_new_privileges()


def _identity(user: list[int] | str) -> tuple[int, int, list[int]]:
    """Numbers for a `USER` instruction: `name`, `uid`, `name:group`, `uid:gid`; a list is taken as it is."""
    if isinstance(user, list):
        return user[0], user[1], []
    name, _, group = user.partition(":")
    entry = _lookup("/etc/passwd", name or "0")
    if entry is None and not (name or "0").isdigit():
        raise LookupError(f"no user {name!r} in the image's /etc/passwd")
    number = int(entry[2]) if entry else int(name or "0")
    if group:
        found = _lookup("/etc/group", group)
        if found is None and not group.isdigit():
            raise LookupError(f"no group {group!r} in the image's /etc/group")
        return number, int(found[2]) if found else int(group), []
    others = [int(line[2]) for line in _entries("/etc/group") if entry and entry[0] in line[3].split(",")]
    return number, int(entry[3]) if entry else 0, others


def _lookup(path: str, key: str) -> list[str] | None:
    for fields in _entries(path):
        if key == fields[0] or (key.isdigit() and key == fields[2]):
            return fields
    return None


def _entries(path: str) -> list[list[str]]:
    try:
        with open(path, "rb") as file:
            lines = [line.split(":") for line in file.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return []
    return [fields for fields in lines if len(fields) > 3 and fields[2].isdigit()]


def _execute(argv: list[str], env: dict[str, str]) -> None:
    if "/" in argv[0]:
        os.execve(argv[0], argv, env)  # noqa: S606 - this is the launcher
    found = None
    for folder in env.get("PATH", os.defpath).split(":"):
        path = os.path.join(folder or ".", argv[0])
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            os.execve(path, argv, env)  # noqa: S606 - this is the launcher
        if found is None and os.path.exists(path):
            found = path
    raise OSError(errno.EACCES if found else errno.ENOENT, "not found on PATH", argv[0])

"""The entry point of test images: a runtime client of standard library only that runs the code it is sent.

It runs inside the sandbox, under the image's interpreter; `result` of the executed code is the answer.
"""

import errno
import http.client
import json
import multiprocessing
import os
import pathlib
import pwd
import resource
import sys
import threading
import time

STATE: dict = {}


def attempt(action: object) -> str:
    """Name of the errno that `action` fails with; empty when it succeeds."""
    try:
        action()  # type: ignore[operator]
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


def write(path: str) -> str:
    return attempt(lambda: pathlib.Path(path).write_text("x", encoding="utf-8"))


def facts() -> dict:
    """What a function can see of its sandbox."""
    status = dict(
        line.split(":", 1)
        for line in pathlib.Path("/proc/self/status").read_text().splitlines()
        if ":" in line
    )
    tmp = os.statvfs("/tmp")
    return {
        "ids": [os.getresuid(), os.getresgid()],
        "groups": os.getgroups(),
        "user": list(pwd.getpwuid(os.getuid())),
        "home": str(pathlib.Path.home()),
        "home_exists": pathlib.Path.home().exists(),
        "home_variable": "HOME" in os.environ,
        "writes": {
            path: write(path) for path in ("/x", "/var/task/x", "/etc/x", "/dev/x", "/home/x", "/tmp/x")
        },
        "dev": sorted(path.name for path in pathlib.Path("/dev").iterdir()),
        "lock": attempt(multiprocessing.Lock),
        "limits": {
            name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
            for name in ("NOFILE", "MEMLOCK", "STACK", "CORE")
        },
        "capabilities": {name: int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")},
        "no_new_privileges": status["NoNewPrivs"].strip(),
        "tmp_bytes": tmp.f_blocks * tmp.f_frsize,
        "tmp_mode": oct(pathlib.Path("/tmp").stat().st_mode & 0o7777),
        "processes": [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()],
        "own_pid": os.getpid(),
        "signal_first": attempt(lambda: os.kill(1, 0)),
        "cwd": str(pathlib.Path.cwd()),
        "umask": oct(os.umask(0o022)),
        "stdin": sys.stdin.read(),
        "mounts": [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()],
        "environment": dict(os.environ),
        "hosts": pathlib.Path("/etc/hosts").read_text(),
        "descriptors": sorted(int(path.name) for path in pathlib.Path("/proc/self/fd").iterdir())[:3],
        "writable_null": write("/dev/null"),
    }


def grow() -> None:
    """Takes memory until something stops it."""
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def fill(megabytes: int) -> str:
    """Writes to `/tmp`, a GB/s at most: a faster burst can be taken for memory (docs/limits.md).

    Returns the errno that ended it, or nothing.
    """

    def run() -> None:
        with pathlib.Path("/tmp/filled").open("wb", buffering=0) as file:
            for _ in range(megabytes):
                time.sleep(0.001)
                if file.write(b"x" * (1 << 20)) < 1 << 20:
                    file.write(b"x")

    return attempt(run)


def count_threads(most: int) -> int:
    """How many threads can be started."""
    threading.stack_size(65536)
    for number in range(most):
        try:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        except RuntimeError:
            return number
    return most


def tick() -> None:
    """Counts in the background as long as the sandbox is not frozen."""

    def run() -> None:
        while True:
            STATE["ticks"] = STATE.get("ticks", 0) + 1
            time.sleep(0.005)

    threading.Thread(target=run, daemon=True).start()


def fail_init(connection: http.client.HTTPConnection) -> None:
    body = json.dumps({"errorType": "Runtime.Test", "errorMessage": "as asked", "stackTrace": []})
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.Test"}
    connection.request("POST", "/2018-06-01/runtime/init/error", body, headers)
    connection.getresponse().read()
    sys.exit(1)


def start(mode: str, connection: http.client.HTTPConnection) -> None:
    """Misbehaves during init as `mode` says."""
    if mode == "fail-once" and not pathlib.Path("/tmp/failed").exists():
        pathlib.Path("/tmp/failed").touch()
        fail_init(connection)
    elif mode == "fail":
        fail_init(connection)
    elif mode == "slow-once" and not pathlib.Path("/tmp/slow").exists():
        pathlib.Path("/tmp/slow").touch()
        time.sleep(60)
    elif mode == "exit":
        sys.exit(3)
    elif mode == "grow":
        grow()


def main() -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    start(sys.argv[1] if len(sys.argv) > 1 else "", connection)
    while True:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        event = connection.getresponse()
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
        scope = dict(globals(), result=None, headers=dict(event.headers))
        exec(json.loads(event.read()), scope)
        path = f"/2018-06-01/runtime/invocation/{request_id}/response"
        connection.request("POST", path, json.dumps(scope["result"]))
        connection.getresponse().read()


if __name__ == "__main__":
    main()

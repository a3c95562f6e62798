"""The program that runs inside the image, run by the interpreter at hand."""

import inspect
import subprocess
import sys
from pathlib import Path

from understudy.verify.boot import observations, observer
from understudy.verify.boot.model import Observations


def observed(tmp_path: Path, code: str) -> tuple[Observations, str]:
    """What the observer tells of `code`, and everything that was printed."""
    (tmp_path / "sitecustomize.py").write_text(f"{inspect.getsource(observer)}\n\ninstall()\n")
    (tmp_path / "app.py").write_text(code)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "app.py")],
        cwd="/",
        env={"PYTHONPATH": str(tmp_path), "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return observations.parse(done.stderr), done.stdout


def told(found: Observations) -> list[tuple[str, str, int]]:
    return [(item.kind, item.what, item.frames[0].line) for item in found.items]


def test_writes_are_told_unless_they_are_harmless(tmp_path: Path) -> None:
    code = """import os
def attempt(action, *args):
    try:
        action(*args)
    except OSError:
        pass
attempt(open, "/nowhere/a", "w")
attempt(os.mkdir, "/nowhere/b")
attempt(os.mkdir, "/usr")
attempt(open, "/nowhere/c")
attempt(open, "/tmp/nowhere/d", "w")
attempt(open, "/nowhere/__pycache__/e.pyc", "wb")
attempt(os.remove, "/nowhere/f")
attempt(os.symlink, "x", "/nowhere/g")
attempt(os.open, "relative", os.O_WRONLY)
open(os.devnull, "w").close()
"""
    found, _ = observed(tmp_path, code)
    assert [what for _, what, _ in told(found)][:3] == ["/nowhere/a", "/nowhere/b", "/nowhere/g"]
    assert [kind for kind, _, _ in told(found)] == ["write"] * 4
    assert [item.frames[-1].line for item in found.items] == [7, 8, 14, 15]


def test_programs_and_exits_are_told(tmp_path: Path) -> None:
    code = """import os, subprocess, sys
subprocess.run(["true", "one"])
os.system("true two")
if os.fork() == 0:
    os._exit(0)
os.wait()
sys.exit(3)
"""
    found, _ = observed(tmp_path, code)
    assert told(found) == [
        ("subprocess", "true one", 2),
        ("subprocess", "true two", 3),
        ("subprocess", "os.fork()", 4),
        ("exit", "sys.exit(3)", 7),
    ]


def test_connections_and_names_are_told(tmp_path: Path) -> None:
    code = """import os, socket, sys
one = socket.socket()
sys.audit("socket.connect", one, ("192.0.2.1", 5432))
sys.audit("socket.connect", one, ("127.0.0.1", 9001))
sys.audit("socket.connect", socket.socket(socket.AF_UNIX), "/nowhere")
sys.audit("socket.sendto", socket.socket(type=socket.SOCK_DGRAM), ("192.0.2.1", 53))
sys.audit("socket.getaddrinfo", b"name.invalid", 80, 0, 0, 0)
sys.audit("socket.getaddrinfo", None, 80, 0, 0, 0)
sys.audit("socket.gethostbyname", os.uname().nodename)
"""
    found, _ = observed(tmp_path, code)
    assert told(found) == [
        ("connect", "192.0.2.1:5432", 3),
        ("connect", "192.0.2.1:53/udp", 6),
        ("lookup", "name.invalid", 7),
    ]


def test_threads_that_run_on_are_told_when_asked(tmp_path: Path) -> None:
    code = f"""import os, threading, time
event = threading.Event()
threading.Thread(target=event.wait, name="runs").start()
ended = threading.Thread(target=print); ended.start(); ended.join()
os.kill(os.getpid(), {observer.SIGNAL})
event.set()
"""
    found, printed = observed(tmp_path, code)
    assert printed == "\n"
    assert [item.kind for item in found.items] == ["thread"]


def test_place_is_told_when_time_is_up(tmp_path: Path) -> None:
    said = tmp_path / "said"
    # The time begins where the program has come to the place, and it stays there until it has told.
    code = f"""import os, sitecustomize, time
os.dup2(os.open({str(said)!r}, os.O_RDWR | os.O_CREAT), 2)
sitecustomize.install(0.5)
while b"<module>" not in os.pread(2, 10_000, 0): time.sleep(0.01)
"""
    observed(tmp_path, code)
    found = observations.parse(said.read_text())
    assert [frame.line for frame in found.waiting] == [4]


def test_observer_brings_no_module_that_python_had_not_loaded(tmp_path: Path) -> None:
    _, printed = observed(tmp_path, "import sys\nprint('typing' in sys.modules, 'json' in sys.modules)\n")
    assert printed == "False False\n"


def test_observations_end_at_their_limit(tmp_path: Path) -> None:
    code = "import sys\nfor n in range(2000):\n    sys.audit('os.system', b'run %d' % n)\n"
    found, _ = observed(tmp_path, code)
    assert 100 < len(found.items) < 500

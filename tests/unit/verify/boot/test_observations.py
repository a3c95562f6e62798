"""What is read from the observed boot's output."""

from understudy.verify.boot import observations
from understudy.verify.boot.model import Frame
from understudy.verify.boot.observer import MARK

APP = [("/var/task/app.py", 3), ("/var/runtime/bootstrap.py", 1)]
FRAME = (Frame(path="/var/task/app.py", line=3),)


def line(kind: str, what: str, frames: object = APP, pid: int = 7) -> str:
    return f"{MARK}{(pid, kind, what, frames, 0.5)!r}\n"


READY = line("ready", "/bin/python3", [])


def test_observations_have_the_lines_of_the_images_code_only() -> None:
    found = observations.parse(f"noise\n{READY}{line('write', '/var/task/x')}{line('write', '/var/task/x')}")
    (item,) = found.items
    assert (item.kind, item.what, item.frames, item.count) == ("write", "/var/task/x", FRAME, 2)


def test_what_the_client_did_or_a_child_did_is_left_out() -> None:
    output = READY + line("exit", "sys.exit(1)", [("/var/runtime/awslambdaric/bootstrap.py", 5)])
    assert observations.parse(output + line("write", "/x", pid=8)).items == ()


def test_output_without_the_observer_says_so() -> None:
    found = observations.parse("hello\n")
    assert found.problem
    assert found.items == ()


def test_broken_lines_are_passed_over() -> None:
    broken = f"{MARK}(1, 'write'\n{MARK}(1,)\n{line('nonsense', 'x')}"
    assert observations.parse(READY + broken).items == ()


def test_local_connections_are_nobodys_business_but_the_engines_are() -> None:
    output = READY + "".join(
        line("connect", what) for what in ("127.0.0.1:9001", "127.0.0.1:4566", "198.18.0.1:5432", "::1:80")
    )
    found = observations.parse(
        output,
        name_of={"198.18.0.1": "db.test"}.get,  # type: ignore[arg-type]
        endpoint="http://localhost:4566",
    )
    assert [item.what for item in found.items] == ["http://localhost:4566", "db.test:5432"]


def test_lookups_of_addresses_and_of_this_host_are_none() -> None:
    output = READY + "".join(line("lookup", what) for what in ("localhost", "10.0.0.1", "api.test"))
    assert [item.what for item in observations.parse(output).items] == ["api.test"]


CLIENTS_THREAD = """\
Thread 0x00007f01 (most recent call first):
  File "/var/lang/lib/python3.13/concurrent/futures/thread.py", line 93 in _worker
  File "/var/lang/lib/python3.13/threading.py", line 1002 in _bootstrap
"""
MAIN = """
Current thread 0x00007f02 (most recent call first):
  File "/var/runtime/awslambdaric/bootstrap.py", line 542 in run
"""
OWN_THREAD = """
Thread 0x00007f03 [sender] (most recent call first):
  File "/var/task/metrics.py", line 12 in send
  File "/var/lang/lib/python3.13/threading.py", line 1002 in _bootstrap
"""


def test_thread_of_the_client_is_not_the_images() -> None:
    client = line("thread", "ThreadPoolExecutor-0_0 (_worker)", [("/var/runtime/awslambdaric/x.py", 1)])
    assert observations.parse(READY + client + CLIENTS_THREAD + MAIN).items == ()
    started = observations.parse(READY + client + line("thread", "gone (f)") + CLIENTS_THREAD + MAIN)
    assert started.items == ()


def test_thread_that_runs_on_is_told_by_who_started_it() -> None:
    found = observations.parse(READY + line("thread", "sender (send)") + OWN_THREAD + MAIN)
    assert [(item.what, item.frames) for item in found.items] == [("sender (send)", FRAME)]


def test_thread_of_unknown_origin_is_told_by_where_it_is() -> None:
    found = observations.parse(READY + OWN_THREAD + MAIN)
    assert [(item.what, str(item.frames[0])) for item in found.items] == [("send", "/var/task/metrics.py:12")]


def test_place_where_init_stood_when_it_was_given_up() -> None:
    dump = 'Timeout (0:00:03)!\nThread 0x01 (most recent call first):\n  File "/var/task/a.py", line 2 in f\n'
    assert observations.parse(READY + dump).waiting == (Frame(path="/var/task/a.py", line=2),)


def test_place_where_a_signal_ended_the_process() -> None:
    dump = (
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x01 (most recent call first):\n"
        '  File "/var/lang/lib/python3.13/ctypes/__init__.py", line 5 in string_at\n'
        '  File "/var/task/a.py", line 2 in <module>\n'
    )
    assert observations.parse(READY + dump).crashed == (Frame(path="/var/task/a.py", line=2),)

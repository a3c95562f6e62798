"""Lambda's constraints seen from inside a real sandbox: as root, as an unprivileged user, and in Docker."""

import os
from typing import Any

import pytest

from tests.fakes.runtime_root import Place

NOBODY = 65534
IDENTITIES: list[int | str] = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
NAMES = {0: "root", "docker": "docker"}
FIRST_PROCESS = 1
DEVICES = {"fd", "full", "null", "random", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}


@pytest.fixture(scope="module")
def place(sandbox_place: Place) -> Place:
    return sandbox_place


@pytest.fixture(scope="module")
def known() -> dict[int | str, Any]:
    return {}


def observed(known: dict[int | str, Any], place: Place, who: int | str) -> Any:
    if who not in known:
        known[who] = {**place.run(who, "facts"), "who": who}
    return known[who]


@pytest.fixture(params=[*IDENTITIES, "docker"], ids=lambda who: NAMES.get(who, "unprivileged"))
def seen(request: pytest.FixtureRequest, place: Place, known: dict[int | str, Any]) -> Any:
    return observed(known, place, request.param)


@pytest.fixture(params=IDENTITIES, ids=lambda who: NAMES.get(who, "unprivileged"))
def seen_in_namespaces(request: pytest.FixtureRequest, place: Place, known: dict[int | str, Any]) -> Any:
    return observed(known, place, request.param)


def test_user_is_lambdas_and_has_a_passwd_entry(seen: Any) -> None:
    facts = seen["facts"]
    assert facts["ids"] == [[993, 993, 993], [990, 990, 990]]
    assert facts["groups"] == ([990] if seen["who"] == "docker" else [])
    assert facts["user"] == ["sbx_user1051", "x", 993, 990, "", "/home/sbx_user1051", "/sbin/nologin"]


def test_home_is_neither_set_nor_there(seen: Any) -> None:
    facts = seen["facts"]
    assert not facts["home_variable"]
    assert facts["home"] == "/home/sbx_user1051"
    assert not facts["home_exists"]


def test_only_tmp_is_writable(seen: Any) -> None:
    # Docker's /dev is a tmpfs of root's, not read-only.
    assert seen["facts"]["writes"] == {
        "/dev/x": "EACCES" if seen["who"] == "docker" else "EROFS",
        "/x": "EROFS",
        "/var/task/x": "EROFS",
        "/etc/x": "EROFS",
        "/home/x": "ENOENT",
        "/tmp/x": "",
    }


def test_dev_has_the_usual_devices_and_no_shm(seen: Any) -> None:
    facts = seen["facts"]
    assert set(facts["dev"]) >= DEVICES
    assert "shm" not in facts["dev"]
    assert facts["lock"] == "ENOENT"
    assert facts["writable_null"] == ""


def test_limits_are_lambdas(seen: Any) -> None:
    limits = seen["facts"]["limits"]
    assert limits["NOFILE"] == [1024, 1024]
    assert limits["MEMLOCK"] == [65536, 65536]
    assert limits["STACK"][0] == 8 * 1024 * 1024
    assert seen["threads"] <= 1024


def test_no_capability_and_no_way_to_one(seen: Any) -> None:
    facts = seen["facts"]
    assert set(facts["capabilities"].values()) == {0}
    assert facts["no_new_privileges"] == "1"


def test_tmp_has_the_configured_size_and_mode(seen: Any) -> None:
    assert seen["facts"]["tmp_bytes"] == 512 * 1024 * 1024
    assert seen["facts"]["tmp_mode"] == "0o1777"
    assert seen["disk_full"] == "ENOSPC"


def test_tmp_is_disk_and_does_not_count_as_memory(seen: Any) -> None:
    assert seen["tmp_beyond_memory"]["error_type"] is None
    assert seen["tmp_beyond_memory"]["payload"] == ""


def test_foreign_processes_are_invisible(seen: Any) -> None:
    facts = seen["facts"]
    assert sorted(facts["processes"]) == sorted([*visible(seen), facts["own_pid"]])
    assert not seen["foreign_pid"]


def visible(seen: Any) -> list[int]:
    """Processes of ours that the function sees: in a container, the first one."""
    return [FIRST_PROCESS] if seen["who"] == "docker" else []


def test_namespaces_show_no_mount_of_the_host_and_no_further_device(seen_in_namespaces: Any) -> None:
    facts = seen_in_namespaces["facts"]
    assert set(facts["dev"]) == DEVICES
    mounts = {path for path in facts["mounts"] if not path.startswith("/dev/")}
    assert mounts == {"/", "/dev", "/proc", "/tmp"}


def test_process_starts_as_lambda_starts_it(seen: Any) -> None:
    facts = seen["facts"]
    assert facts["cwd"] == "/var/task"
    assert facts["umask"] == "0o22"
    assert facts["stdin"] == ""
    assert facts["descriptors"] == [0, 1, 2]
    assert facts["environment"].pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
    facts["environment"].pop("LC_CTYPE", None)  # CPython sets it itself (PEP 538)
    assert facts["environment"] == {"PATH": "/usr/bin:/bin", "GREETING": "hello"}


def test_stdout_and_stderr_keep_their_order(seen: Any) -> None:
    assert "\na\nb\nc\nEND" in seen["order"]


def test_crash_resets_the_process_and_keeps_tmp(seen: Any) -> None:
    assert seen["crash"]["payload"]["errorMessage"].endswith("Runtime exited with error: exit status 9")
    kept, tmp_kept, processes = seen["after_crash"]["payload"]
    assert seen["before_crash"] == 1
    assert kept is None
    assert tmp_kept
    assert len(processes) == 1 + len(visible(seen)), "what the crashed process had started was killed"
    assert seen["after_crash"]["max_memory_mb"] > 0


def test_timeout_kills_and_keeps_tmp(seen: Any) -> None:
    assert seen["timeout"]["error_type"] == "Sandbox.Timedout"
    assert (
        seen["timeout"]["payload"]["errorMessage"]
        == "RequestId: r-8 Error: Task timed out after 0.30 seconds"
    )
    assert seen["after_timeout"]


def test_memory_beyond_the_limit_is_out_of_memory(seen: Any) -> None:
    for name in ("oom", "oom_init"):
        assert seen[name]["error_type"] == "Runtime.OutOfMemory"
        assert seen[name]["max_memory_mb"] == 128
        assert "Max Memory Used: 128 MB" in seen[name]["tail"]
    assert seen["after_oom"]["payload"] == "alive"


def test_failed_init_is_retried_in_the_invoke_phase(seen: Any) -> None:
    once = seen["init"]["fail-once"]
    assert once["result"]["payload"] == "ok"
    assert once["result"]["init_ms"] is None
    assert [line.split(" ")[0] for line in once["log"]] == ["INIT_REPORT", "START", "END", "REPORT"]
    twice = seen["init"]["fail"]
    assert twice["result"]["error_type"] == "Runtime.Test"
    assert [line.split("\t")[1] for line in twice["log"][:2]] == ["Phase: init", "Phase: invoke"]


def test_slow_init_is_retried_in_the_invoke_phase(seen: Any) -> None:
    slow = seen["init"]["slow-once"]
    assert slow["log"][0].endswith("Phase: init\tStatus: timeout\n")
    assert slow["result"]["payload"] == "ok"


def test_silent_exit_during_init_is_told(seen: Any) -> None:
    result = seen["init"]["exit"]["result"]
    assert (
        result["payload"]["errorMessage"] == "RequestId: r-1 Error: Runtime exited with error: exit status 3"
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/nope", "fork/exec /nope: no such file or directory"),
        ("/var/task/noexec", "fork/exec /var/task/noexec: permission denied"),
        ("/var/task/noformat", "fork/exec /var/task/noformat: exec format error"),
        ("/var/task/crlf", "fork/exec /var/task/crlf: no such file or directory"),
        ("nowhere", "Couldn't find valid bootstrap(s): [nowhere]"),
    ],
)
def test_entry_point_that_cannot_start_is_named(seen: Any, path: str, text: str) -> None:
    assert seen["entrypoints"][path] == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: r-1 Error: {text}",
    }


def test_working_directory_that_is_absent_is_named(seen: Any) -> None:
    assert seen["working_dir"]["errorType"] == "Runtime.InvalidWorkingDir"


def test_constraints_say_by_which_means_they_hold(seen: Any) -> None:
    constraints = seen["constraints"]
    assert constraints["dev-shm"] == "absent"
    if constraints["frozen-when-idle"] != "no":
        assert seen["ticks"] < 100
    if seen["who"] == NOBODY:
        assert constraints["memory"] in {"watched every 20 ms", "cgroup v2"}


def test_nothing_is_left_on_disk(seen: Any) -> None:
    assert seen["left"] == []


@pytest.mark.parametrize("uid", IDENTITIES)
def test_check_tells_what_is_missing_with_a_command(place: Place, uid: int) -> None:
    for code, hint in place.run(uid, "check"):
        assert code.startswith("sandbox-")
        assert hint

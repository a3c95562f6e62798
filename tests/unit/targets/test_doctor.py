import socket
from collections.abc import Iterator
from pathlib import Path

from understudy.targets import doctor
from understudy.targets.doctor import Check


def _nothing() -> Iterator[Check]:
    return iter(())


def test_a_port_in_use_comes_with_the_command_that_finds_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        checks = doctor.examine(tmp_path, port=port, sandbox=_nothing)

    found = next(check for check in checks if check.name.startswith(f"port {port}"))
    assert found.severity == "warning"
    assert f"sport = :{port}" in found.fix


def test_every_problem_has_a_fix(tmp_path: Path) -> None:
    broken = Check(name="user namespaces", severity="error", found="forbidden", fix="sysctl -w ...")
    checks = doctor.examine(tmp_path, port=0, sandbox=lambda: iter([broken]))

    assert broken in checks
    assert all(check.fix for check in checks if check.severity != "ok")

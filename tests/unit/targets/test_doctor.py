import socket
from collections.abc import Iterator
from pathlib import Path

from tests.fakes import project as projects
from understudy.targets import doctor, record
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


def test_the_port_of_the_project_s_own_stack_is_no_problem(tmp_path: Path) -> None:
    found = projects.make(tmp_path / "project")
    with socket.create_server(("127.0.0.1", 0)) as server, record.claim(found.layout):
        port = server.getsockname()[1]
        record.write(found.layout, projects.running_at(f"http://localhost:{port}"))
        checks = doctor.examine(found.root / "app", port=port, sandbox=_nothing)

    own = next(check for check in checks if check.name.startswith(f"port {port}"))
    assert (own.severity, own.fix) == ("ok", "")


def test_every_problem_has_a_fix(tmp_path: Path) -> None:
    broken = Check(name="user namespaces", severity="error", found="forbidden", fix="sysctl -w ...")
    checks = doctor.examine(tmp_path, port=0, sandbox=lambda: iter([broken]))

    assert broken in checks
    assert all(check.fix for check in checks if check.severity != "ok")

import socket
from pathlib import Path

import pytest

from understudy.errors import EnvironmentProblemError, UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import SandboxSpec
from understudy.targets.debugging import layer, session


def _spec(**environment: str) -> SandboxSpec:
    return SandboxSpec(
        rootfs=Rootfs(layers=(Path("/base"),)),
        entrypoint=("e",),
        command=("h.h",),
        working_dir="/var/task",
        environment=environment,
        memory_mb=128,
        timeout_s=3,
    )


@pytest.mark.parametrize(
    ("before", "path"),
    [({}, layer.FOLDER), ({"PYTHONPATH": "/x"}, f"{layer.FOLDER}:/x")],
    ids=["no path", "a path of its own"],
)
def test_a_debugged_sandbox_has_a_layer_more_and_no_timeout(before: dict[str, str], path: str) -> None:
    found = session.debugged(_spec(**before), 5678, Path("/debugger"))

    assert found.rootfs.layers == (Path("/base"), Path("/debugger"))
    assert found.environment["PYTHONPATH"] == path
    assert found.environment[layer.PATH_BEFORE] == before.get("PYTHONPATH", "")
    assert found.environment[layer.LISTEN] == "127.0.0.1:5678"
    assert min(found.timeout_s, found.init_timeout_s) >= 3600
    assert (found.entrypoint, found.command, found.cpu) == (("e",), ("h.h",), "host")


def test_a_port_that_somebody_holds_is_told_with_another() -> None:
    with socket.socket() as holder:
        holder.bind((session.HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(EnvironmentProblemError) as caught:
            session.check(port)

    assert f"--debug {port + 1}" in caught.value.hint


def test_containers_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_EXECUTOR", "docker")

    with pytest.raises(UnderstudyError) as caught:
        session.check(5678)

    assert caught.value.code == "debug-executor"

"""What the namespace executor reads and says, without a namespace."""

from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox import NamespaceExecutor, SandboxSpec, namespaces


def spec(*layers: Path) -> SandboxSpec:
    return SandboxSpec(
        rootfs=Rootfs(layers=layers), entrypoint=("/e",), command=(), working_dir="/", environment={}
    )


def test_uppermost_layer_wins(tmp_path: Path) -> None:
    for name, text in (("lower", "old"), ("upper", "new")):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc/passwd").write_text(text)
    assert namespaces.image_file(spec(tmp_path / "lower", tmp_path / "upper"), "etc/passwd") == "new"
    assert namespaces.image_file(spec(tmp_path / "lower"), "etc/group") == ""


def test_missing_controllers_are_findings_with_a_command() -> None:
    findings = namespaces._group_findings({"pids": "cgroup v2"})
    assert [finding.code for finding in findings] == ["sandbox-cgroup-memory", "sandbox-cgroup-cpu"]
    assert all("systemd-run" in finding.hint for finding in findings)


def test_constraints_name_their_means() -> None:
    constraints = namespaces._constraints(spec(), {"memory": "cgroup v2"})
    assert constraints["memory"] == "cgroup v2"
    assert constraints["processes"] == "rlimit per user"
    assert constraints["dev-shm"] == "absent"


async def test_closed_executor_says_so(tmp_path: Path) -> None:
    executor = NamespaceExecutor(tmp_path)
    assert executor.fork_server_pid == 0
    with pytest.raises(UnderstudyError, match="not open"):
        await executor.prepare(spec())


def test_layer_that_was_collected_meanwhile_is_retryable(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError) as caught:
        namespaces.lease(spec(tmp_path / "gone"))
    assert caught.value.retryable

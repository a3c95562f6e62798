"""Refusals of the kernel are named, with the command that lifts them."""

import errno
from pathlib import Path

import pytest

from understudy.sandbox import privileges


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "apparmor_restrict_unprivileged_userns=0"),
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=28633"),
    ],
    ids=["apparmor", "debian", "none"],
)
def test_kernel_switch_is_named(tmp_path: Path, setting: str, value: str, hint: str) -> None:
    (tmp_path / setting).parent.mkdir(parents=True)
    (tmp_path / setting).write_text(value + "\n")
    error = privileges.forbidden(errno.EPERM, "unshare", sysctl=tmp_path, root=tmp_path)
    assert error.code == "sandbox-forbidden"
    assert hint in error.hint


def test_container_is_told_to_be_started_differently(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()
    error = privileges.forbidden(errno.EPERM, "unshare", sysctl=tmp_path, root=tmp_path)
    assert "seccomp" in error.message
    assert "--privileged" in error.hint


def test_used_up_namespaces_are_told(tmp_path: Path) -> None:
    error = privileges.forbidden(errno.ENOSPC, "unshare", sysctl=tmp_path, root=tmp_path)
    assert "max_user_namespaces" in error.hint


def test_other_refusals_still_have_a_hint(tmp_path: Path) -> None:
    error = privileges.forbidden(errno.EIO, "mount", sysctl=tmp_path, root=tmp_path)
    assert "mount" in error.message
    assert error.hint


def test_subordinate_range_is_found_by_number(tmp_path: Path) -> None:
    table = tmp_path / "subuid"
    me = privileges.os.getuid()
    table.write_text(f"other:1:65536\nbroken\n{me}:100000:100\n{me}:200000:65536\n")
    assert privileges.subordinate_range(table) == (200000, 65536)
    assert privileges.subordinate_range(tmp_path / "absent") is None

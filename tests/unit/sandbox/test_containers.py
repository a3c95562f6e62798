from pathlib import Path

from understudy.sandbox import containers
from understudy.sandbox.containers import GroupMount

VERSION_1 = """\
191 190 0:51 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
192 191 0:29 /docker/b8e /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec - cgroup cgroup rw,cpu,cpuacct
195 191 0:32 /docker/b8e /sys/fs/cgroup/memory ro,nosuid,nodev,noexec - cgroup cgroup rw,memory
196 191 0:33 /docker/b8e /sys/fs/cgroup/devices ro,nosuid,nodev,noexec - cgroup cgroup rw,devices
199 191 0:36 /docker/b8e /sys/fs/cgroup/pids rw,nosuid,nodev,noexec - cgroup cgroup rw,pids
"""
VERSION_2 = "30 25 0:26 {} /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n"


def test_only_read_only_mounts_of_the_limits_are_changed() -> None:
    assert containers.read_only_mounts(VERSION_1) == [
        GroupMount(path=Path("/sys/fs/cgroup/cpu,cpuacct"), unified=False),
        GroupMount(path=Path("/sys/fs/cgroup/memory"), unified=False),
    ]


def test_version_2_is_changed_where_it_is_the_container_s_own() -> None:
    assert containers.read_only_mounts(VERSION_2.format("/")) == [
        GroupMount(path=Path("/sys/fs/cgroup"), unified=True)
    ]
    assert containers.read_only_mounts(VERSION_2.format("/../..")) == []


def test_processes_make_room_for_limited_groups(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("1\n")
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")

    containers.make_room(tmp_path)

    assert (tmp_path / "understudy-container" / "cgroup.procs").read_text() == "1"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"

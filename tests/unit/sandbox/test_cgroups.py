"""Control groups of both versions against trees of plain files."""

import os
from pathlib import Path

import pytest

from understudy.sandbox import cgroups
from understudy.sandbox.cgroups import Cgroups, Group, Layout

HYBRID_MOUNTS = """\
25 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
32 25 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
HYBRID_OWN = "5:memory:/user.slice\n4:cpu,cpuacct:/\n3:pids:/a b\n0::/user.slice\n"


def test_hybrid_layout_finds_every_controller() -> None:
    layout = cgroups.parse_layout(HYBRID_MOUNTS, HYBRID_OWN)
    top = Path("/sys/fs/cgroup")
    assert layout.v1 == {
        "memory": top / "memory/user.slice",
        "cpu": top / "cpu,cpuacct",
        "pids": top / "pids/a b",
    }
    assert layout.v2 == top / "unified/user.slice"


def test_container_layout_starts_at_what_is_mounted() -> None:
    mounts = "40 1 0:30 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    assert cgroups.parse_layout(mounts, "5:memory:/docker/abc\n").v1 == {
        "memory": Path("/sys/fs/cgroup/memory")
    }
    assert cgroups.parse_layout(mounts, "5:memory:/docker/abc/x\n").v1 == {
        "memory": Path("/sys/fs/cgroup/memory/x")
    }


def test_membership_outside_of_the_mount_falls_back_to_the_mount() -> None:
    mounts = "40 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    assert cgroups.parse_layout(mounts, "0::/../other\n").v2 == Path("/sys/fs/cgroup")


def make_v2(folder: Path, *, controllers: str = "cpu memory pids", enabled: str = "cpu memory pids") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.controllers").write_text(controllers)
    (folder / "cgroup.subtree_control").write_text(enabled)
    (folder / "cgroup.procs").write_text("")
    return folder


def test_version_two_skips_the_session_scope_for_the_slice_above(tmp_path: Path) -> None:
    app = make_v2(tmp_path / "user/app.slice")
    scope = make_v2(app / "term.scope", enabled="", controllers="")
    groups = Cgroups(Layout(v2=scope, v2_top=tmp_path))
    groups.open()
    assert [folder.parent for folder in groups.folders] == [app]


def test_version_two_without_any_writable_ancestor_claims_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    groups = Cgroups(Layout(v2=folder, v2_top=tmp_path))
    groups.open()
    assert groups.folders == ()
    assert groups.means == {}


def test_version_one_is_claimed_per_controller(tmp_path: Path) -> None:
    layout = Layout(v1={"memory": tmp_path / "memory", "pids": tmp_path / "pids"})
    for folder in layout.v1.values():
        folder.mkdir()
    groups = Cgroups(layout)
    groups.open()
    assert groups.means == {"memory": "cgroup v1", "pids": "cgroup v1"}
    groups.close()
    assert list((tmp_path / "memory").iterdir()) == []


def test_groups_of_dead_engines_are_swept_and_live_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "understudy-999999999-5" / "1").mkdir(parents=True)
    (tmp_path / f"understudy-{os.getpid()}-1").mkdir()
    (tmp_path / "unrelated").mkdir()
    live = Cgroups(Layout(v1={"memory": tmp_path}))
    live.open()
    cgroups.sweep(tmp_path)
    names = {folder.name for folder in tmp_path.iterdir()}
    assert "unrelated" in names
    assert [name for name in names if name.startswith("understudy-")] == [live.folders[0].name]


def v2_group(folder: Path) -> Group:
    folder.mkdir()
    for name in ("cgroup.procs", "cgroup.freeze"):
        (folder / name).write_text("")
    means = dict.fromkeys(("memory", "pids", "cpu"), "cgroup v2") | {"freeze": "cgroup v2"}
    return Group({"v2": folder}, means)


def test_version_two_limits(tmp_path: Path) -> None:
    group = v2_group(tmp_path / "g")
    group.limit_memory(128 * 1024 * 1024)
    group.limit_processes(1024)
    group.limit_cpu(0.5)
    read = {path.name: path.read_text() for path in (tmp_path / "g").iterdir()}
    assert read["memory.max"] == str(128 * 1024 * 1024)
    assert read["memory.swap.max"] == "0"
    assert read["pids.max"] == "1024"
    assert read["cpu.max"] == "10000 20000"
    group.limit_cpu(None)
    assert (tmp_path / "g/cpu.max").read_text() == "max 20000"


def test_version_two_counts_kills_and_memory_without_tmp(tmp_path: Path) -> None:
    group = v2_group(tmp_path / "g")
    assert group.oom_kills() == 0
    (tmp_path / "g/memory.events").write_text("low 0\nmax 4\noom 1\noom_kill 1\n")
    (tmp_path / "g/memory.stat").write_text("anon 5\nshmem 4096\n")
    assert group.oom_kills() == 1
    assert group.anonymous_bytes() == 5


def test_freezing_is_written_once_per_change(tmp_path: Path) -> None:
    group = v2_group(tmp_path / "g")
    group.freeze()
    assert (tmp_path / "g/cgroup.freeze").read_text() == "1"
    group.thaw()
    group.thaw()
    assert (tmp_path / "g/cgroup.freeze").read_text() == "0"
    group.remove()


@pytest.mark.parametrize("share", [0.001, 0.07, 2.0])
def test_version_one_cpu_quota_never_falls_below_the_kernels_minimum(tmp_path: Path, share: float) -> None:
    folder = tmp_path / "g"
    folder.mkdir()
    (folder / "cgroup.procs").write_text("")
    group = Group({"cpu": folder}, {"cpu": "cgroup v1"})
    group.limit_cpu(share)
    assert int((folder / "cpu.cfs_quota_us").read_text()) == max(1000, round(share * 20000))
    assert (folder / "cpu.cfs_period_us").read_text() == "20000"


def test_version_one_memory_and_swap_have_one_limit(tmp_path: Path) -> None:
    folder = tmp_path / "g"
    folder.mkdir()
    (folder / "cgroup.procs").write_text("12\n34\n")
    group = Group({"memory": folder}, {"memory": "cgroup v1"})
    group.limit_memory(1000)
    assert (folder / "memory.limit_in_bytes").read_text() == "1000"
    assert (folder / "memory.memsw.limit_in_bytes").read_text() == "1000"
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    assert group.oom_kills() == 3
    (folder / "memory.stat").write_text("cache 7\nrss 6\nrss_huge 0\n")
    assert group.anonymous_bytes() == 6
    assert group.pids() == [12, 34]


def test_without_controllers_every_limit_is_a_no_op(tmp_path: Path) -> None:
    del tmp_path
    group = Group({}, {})
    group.limit_memory(1)
    group.limit_processes(1)
    group.limit_cpu(1.0)
    group.freeze()
    assert not group.limits_memory
    assert (group.oom_kills(), group.anonymous_bytes(), group.pids()) == (0, 0, [])
    assert group.remove()
    with group.entries() as entries:
        assert entries == ()

import os
import stat
from pathlib import Path

from understudy.image.layers import metadata
from understudy.image.layers.tarformat import Kind, Member


def test_mode_time_and_own_attributes_are_applied(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    member = Member(
        path=b"file",
        kind=Kind.FILE,
        mode=0o755,
        uid=os.geteuid(),
        gid=os.getegid(),
        mtime_ns=5_000_000_001,
        xattrs={"user.kept": b"1", "user.overlay.opaque": b"y", "user.understudy.stat": b"0:0:0"},
    )
    fd = os.open(path, os.O_RDWR)
    metadata.Writer().apply(fd, member)
    os.close(fd)
    status = path.stat()
    assert status.st_mtime_ns == 5_000_000_001
    assert os.getxattr(path, "user.kept") == b"1"
    assert "user.overlay.opaque" not in os.listxattr(path)
    if metadata.can_own():
        assert stat.S_IMODE(status.st_mode) == 0o755
        assert "user.understudy.stat" not in os.listxattr(path)


def test_opaque_mark_is_seen_by_unprivileged_mounts(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    metadata.Writer().opaque(fd)
    os.close(fd)
    assert os.getxattr(tmp_path, "user.overlay.opaque") == b"y"


def test_whiteout_is_in_one_of_the_two_forms(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    metadata.Writer().whiteout(b"gone", fd)
    os.close(fd)
    status = (tmp_path / "gone").lstat()
    if stat.S_ISCHR(status.st_mode):
        assert status.st_rdev == 0
    else:
        assert os.getxattr(tmp_path / "gone", "user.overlay.whiteout") == b"y"

import os
from pathlib import Path

import pytest

from tests.unit.image.samples import EPOCH
from understudy.image.layers import diff
from understudy.image.layers.entries import Entry
from understudy.image.layers.tarformat import Kind, LayerInvalidError


def entries_of(upper: Path, **options: object) -> dict[str, Entry]:
    return {entry.path: entry for entry in diff.overlay_entries(upper, epoch=EPOCH, **options)}


def test_files_links_and_folders_come_sorted(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").write_bytes(b"x")
    (tmp_path / "b-link").symlink_to("b/file")
    os.link(tmp_path / "b" / "file", tmp_path / "c")
    os.mkfifo(tmp_path / "pipe")
    found = entries_of(tmp_path)
    assert list(found) == ["b", "b/file", "b-link", "c", "pipe"]
    assert [entry.kind for entry in found.values()] == [
        Kind.DIR,
        Kind.FILE,
        Kind.SYMLINK,
        Kind.HARDLINK,
        Kind.FIFO,
    ]
    assert found["c"].target == "b/file"
    assert found["b-link"].target == "b/file"


def test_times_after_the_epoch_are_cut_and_earlier_ones_stay(tmp_path: Path) -> None:
    for name, mtime in (("new", EPOCH + 50), ("old", EPOCH - 50)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (mtime, mtime))
    assert {path: entry.mtime_s for path, entry in entries_of(tmp_path).items()} == {
        "new": EPOCH,
        "old": EPOCH - 50,
    }


@pytest.mark.parametrize("flavour", ["user.overlay."])
def test_marks_in_attribute_form_become_whiteouts(tmp_path: Path, flavour: str) -> None:
    (tmp_path / "folder").mkdir()
    os.setxattr(tmp_path / "folder", f"{flavour}opaque", b"y")
    (tmp_path / "holder").mkdir()
    os.setxattr(tmp_path / "holder", f"{flavour}opaque", b"x")
    (tmp_path / "holder" / "gone").write_bytes(b"")
    os.setxattr(tmp_path / "holder" / "gone", f"{flavour}whiteout", b"y")
    assert list(entries_of(tmp_path)) == ["folder", "folder/.wh..wh..opq", "holder", "holder/.wh.gone"]


@pytest.mark.parametrize("name", ["redirect", "metacopy"])
def test_upper_of_a_wrong_mount_is_our_bug(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    os.setxattr(tmp_path / "file", f"user.overlay.{name}", b"x")
    with pytest.raises(ValueError, match=name):
        entries_of(tmp_path)


def test_name_that_would_hide_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".wh.x").write_bytes(b"x")
    with pytest.raises(LayerInvalidError, match="hides"):
        entries_of(tmp_path)


def test_owners_are_mapped_and_recorded_ones_come_back(tmp_path: Path) -> None:
    (tmp_path / "mapped").write_bytes(b"x")
    (tmp_path / "kept").write_bytes(b"x")
    (tmp_path / "kept").chmod(0o444)
    os.setxattr(tmp_path / "kept", "user.understudy.stat", b"33:44:644") if os.geteuid() == 0 else None
    found = entries_of(tmp_path, owners=lambda *_: (0, 0))
    assert (found["mapped"].uid, found["mapped"].gid) == (0, 0)
    if os.geteuid() == 0:
        assert (found["kept"].uid, found["kept"].gid, found["kept"].mode) == (33, 44, 0o644)


def test_capabilities_of_a_user_namespace_lose_their_local_id() -> None:
    third = bytes.fromhex("0100000300040000000000000000000000000000e8030000")
    second = bytes.fromhex("0100000200040000000000000000000000000000")
    assert diff._portable(third) == second
    assert diff._portable(second) == second

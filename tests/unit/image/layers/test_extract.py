import io
import os
from pathlib import Path

import pytest

from tests.unit.image.samples import EPOCH, file, folder, noise, store_at
from understudy.image.layers import extract, writer
from understudy.image.layers.writer import Entry, Kind
from understudy.image.store import DigestMismatchError


def unpack(tmp_path: Path, *steps: list[Entry], overlay: bool = False) -> Path:
    store = store_at(tmp_path / "store")
    target = tmp_path / "target"
    target.mkdir()
    for step in steps:
        descriptor, diff_id = writer.write_layer(store, step, epoch=EPOCH)
        with store.open_blob(descriptor.digest) as blob:
            report = extract.extract_layer(blob, target, overlay_whiteouts=overlay, diff_id=diff_id)
        assert (report.entries, report.diff_id) == (len(step), diff_id)
    return target


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_content_links_and_times_come_out(tmp_path: Path) -> None:
    big = noise(3 << 20)
    target = unpack(
        tmp_path,
        [
            folder("d", mtime_s=7),
            file("d/big", big, mtime_s=9),
            Entry(path="d/hard", kind=Kind.HARDLINK, target="d/big"),
            Entry(path="link", kind=Kind.SYMLINK, target="/d/big", mtime_s=11),
        ],
    )
    assert (target / "d" / "big").read_bytes() == big
    assert (target / "d" / "hard").samefile(target / "d" / "big")
    assert (target / "link").readlink() == Path("/d/big")
    times = [(target / name).lstat().st_mtime for name in ("d", "d/big", "link")]
    assert times == [7, 9, 11]


def test_deletions_apply_to_the_layers_below_alone(tmp_path: Path) -> None:
    target = unpack(
        tmp_path,
        [folder("a"), file("a/old"), file("gone"), folder("kept"), file("kept/old")],
        [
            folder("a"),
            writer.opaque("a"),
            file("a/new"),
            writer.whiteout("gone"),
            folder("kept"),
            file("kept/new"),
            writer.whiteout("kept"),
        ],
    )
    assert names(target) == ["a", "kept"]
    assert names(target / "a") == ["new"]
    assert names(target / "kept") == ["new"]


def test_deletions_stay_for_an_overlay(tmp_path: Path) -> None:
    target = unpack(
        tmp_path, [folder("a"), writer.opaque("a"), file("a/new"), writer.whiteout("gone")], overlay=True
    )
    assert names(target) == ["a", "gone"]
    assert os.getxattr(target / "a", "user.overlay.opaque") == b"y"


def test_folder_that_replaces_a_whiteout_hides_what_was_below(tmp_path: Path) -> None:
    target = unpack(tmp_path, [writer.whiteout("a"), folder("a")], overlay=True)
    assert os.getxattr(target / "a", "user.overlay.opaque") == b"y"


def test_later_entries_replace_earlier_ones(tmp_path: Path) -> None:
    target = unpack(
        tmp_path,
        [folder("a"), file("a/b"), file("c")],
        [file("a", b"now a file"), folder("c"), file("c/d")],
    )
    assert (target / "a").read_bytes() == b"now a file"
    assert names(target / "c") == ["d"]


def test_other_layer_than_announced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DigestMismatchError) as caught:
        extract.extract_layer(
            io.BytesIO(bytes(1024)), tmp_path, overlay_whiteouts=True, diff_id="sha256:" + "0" * 64
        )
    assert caught.value.code == "diff-id-mismatch"


def test_empty_stream_is_an_empty_layer(tmp_path: Path) -> None:
    assert extract.extract_layer(io.BytesIO(b""), tmp_path, overlay_whiteouts=True).entries == 0


def test_disk_that_is_full_is_the_machine_s_fault() -> None:
    error = extract._environment(OSError(28, "No space left on device"), b"a")
    assert error.code == "disk-full"
    assert "layers" in error.hint


def test_an_opaque_marker_spares_a_directory_that_its_own_layer_names_again(tmp_path: Path) -> None:
    lower = [folder("d"), folder("d/kept"), file("d/kept/old"), folder("d/gone")]
    target = unpack(tmp_path, lower, [folder("d"), folder("d/kept"), writer.opaque("d")])
    assert names(target / "d") == ["kept"]
    assert names(target / "d" / "kept") == []

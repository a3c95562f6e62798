import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.unit.image.samples import EPOCH, file, folder, noise, store_at
from understudy.image import digests
from understudy.image.layers import writer
from understudy.image.layers.writer import Entry, Kind
from understudy.image.model import OCI_LAYER_GZIP


def names(raw: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(raw))) as archive:
        return archive.getnames()


def test_same_entries_in_any_order_give_the_same_layer(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    entries = [
        folder("d"),
        file("d/a", noise(2 << 20)),
        file("d/b"),
        Entry(path="l", kind=Kind.SYMLINK, target="d"),
    ]
    first, second = (writer.write_layer(store, order, epoch=EPOCH) for order in (entries, entries[::-1]))
    assert first == second
    descriptor, diff_id = first
    raw = store.read(descriptor.digest)
    assert descriptor.media_type == OCI_LAYER_GZIP
    assert descriptor.size_bytes == len(raw)
    assert diff_id == digests.of(gzip.decompress(raw))
    assert names(raw) == ["d", "d/a", "d/b", "l"]


def test_folder_on_disk_and_its_times_do_not_matter(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    found = set()
    for name in ("one", "two"):
        root = tmp_path / name
        (root / "sub").mkdir(parents=True)
        (root / "sub" / "file").write_bytes(b"x")
        os.link(root / "sub" / "file", root / "z-link")
        os.utime(root / "sub" / "file", (EPOCH + len(found) + 1, EPOCH + len(found) + 1))
        found.add(writer.write_layer(store, root, epoch=EPOCH))
    assert len(found) == 1


def test_time_is_the_epoch_unless_the_entry_has_one(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    descriptor, _ = writer.write_layer(store, [file("a"), file("b", mtime_s=5)], epoch=EPOCH)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(store.read(descriptor.digest)))) as archive:
        assert [info.mtime for info in archive] == [EPOCH, 5]


def test_empty_layer_is_a_layer(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    descriptor, diff_id = writer.write_layer(store, [], epoch=EPOCH)
    assert diff_id == digests.of(bytes(1024))
    assert names(store.read(descriptor.digest)) == []


def test_later_entry_of_one_path_counts(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    twice = writer.write_layer(store, [file("a", b"1"), file("a", b"2")], epoch=EPOCH)
    assert twice == writer.write_layer(store, [file("a", b"2")], epoch=EPOCH)


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "./a", "a/..", "a\0"])
def test_path_that_is_not_normal_is_our_bug(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="normal path"):
        writer.write_layer(store_at(tmp_path), [file(path)], epoch=EPOCH)


@pytest.mark.parametrize("target", ["z", "missing", "a"])
def test_hard_link_before_its_target_is_our_bug(tmp_path: Path, target: str) -> None:
    link = Entry(path="a", kind=Kind.HARDLINK, target=target)
    with pytest.raises(ValueError, match="does not follow"):
        writer.write_layer(store_at(tmp_path), [link, file("z")], epoch=EPOCH)


def test_file_that_grows_while_it_is_read_is_an_error_and_leaves_no_blob(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    growing = tmp_path / "growing"
    growing.write_bytes(b"x" * 100)
    entry = Entry(path="growing", kind=Kind.FILE, source=growing)
    parts = writer._parts(entry, {}, EPOCH)
    next(parts)
    growing.write_bytes(b"x" * 200)
    with pytest.raises(writer.FileChangedError) as caught:
        list(parts)
    assert caught.value.retryable
    growing.write_bytes(b"")
    parts = writer._parts(
        Entry(path="g", kind=Kind.FILE, source=tmp_path / "store" / "oci-layout"), {}, EPOCH
    )
    next(parts)
    (tmp_path / "store" / "oci-layout").write_bytes(b"")
    with pytest.raises(writer.FileChangedError):
        list(parts)
    assert list((store.root / "uploads").iterdir()) == []

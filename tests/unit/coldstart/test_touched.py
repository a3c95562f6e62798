import os
from pathlib import Path

from understudy.coldstart import measure, touched
from understudy.coldstart.model import LayerTouched
from understudy.image.rootfs import Rootfs


def test_what_was_read_counts_and_what_was_not_does_not(tmp_path: Path) -> None:
    read, unread = tmp_path / "lower", tmp_path / "upper"
    for folder, size in ((read, 700_000), (unread, 4096)):
        folder.mkdir()
        path = folder / "file"
        path.write_bytes(os.urandom(size))
        with path.open("rb") as file:
            os.fsync(file.fileno())
    (read / "link").symlink_to("file")
    (read / "empty").touch()
    rootfs = Rootfs(layers=(read, unread))
    measure.drop(rootfs)
    (read / "file").read_bytes()

    found = touched.count(rootfs)

    assert found.layers[0] == LayerTouched(files=1, blocks=2, touched_bytes=700_000, size_bytes=700_000)
    assert (found.files, found.size_bytes) == (1 + found.layers[1].files, 704_096)


def test_files_of_which_something_was_read_are_told_among_others(tmp_path: Path) -> None:
    (tmp_path / "read").write_bytes(b"x")
    (tmp_path / "empty").touch()
    (tmp_path / "read").read_bytes()

    assert touched.cached([tmp_path / name for name in ("read", "empty", "gone")]) == {tmp_path / "read"}

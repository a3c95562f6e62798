import os
from pathlib import Path

import pytest

from understudy.verify.sources import ranges


@pytest.fixture(name="path")
def content(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(200)))
    return path


def test_reads_only_its_part(path: Path) -> None:
    with path.open("rb") as file, ranges.opened(file.fileno(), 10, 20) as part:
        assert part.read() == bytes(range(10, 30))
        assert part.read(1) == b""


def test_seeks_within_its_part(path: Path) -> None:
    with path.open("rb") as file, ranges.opened(file.fileno(), 10, 20) as part:
        assert part.seek(5) == 5
        assert part.read(2) == bytes([15, 16])
        assert part.seek(-1, os.SEEK_END) == 19
        assert part.read() == bytes([29])
        assert part.seek(-2, os.SEEK_CUR) == 18
        assert part.tell() == 18
        assert part.seek(50) == 50
        assert part.read() == b""


def test_parts_of_one_file_do_not_disturb_each_other(path: Path) -> None:
    with path.open("rb") as file:
        with ranges.opened(file.fileno(), 0, 100) as one, ranges.opened(file.fileno(), 100, 100) as two:
            assert (one.read(1), two.read(1), one.read(1), two.read(1)) == (b"\0", b"d", b"\1", b"e")
        assert not file.closed
        assert file.read(1) == b"\0"


def test_a_file_that_became_shorter_ends_early(path: Path) -> None:
    with path.open("r+b") as file, ranges.opened(file.fileno(), 10, 100) as part:
        file.truncate(15)
        assert part.read() == bytes(range(10, 15))

import os
from pathlib import Path

from understudy.image import locks


def test_sharers_hold_together_and_keep_an_exclusive_holder_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.shared(path), locks.shared(path), locks.exclusive_within(path, 0) as alone:
        assert not alone
    with locks.exclusive_within(path, 0) as alone:
        assert alone


def test_exclusive_holder_keeps_everyone_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.exclusive(path):
        fd = os.open(path, os.O_RDWR)
        assert not locks.try_exclusive(fd)
        os.close(fd)
    with locks.exclusive(path):
        pass

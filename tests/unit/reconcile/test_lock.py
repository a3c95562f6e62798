import os
from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.reconcile import lock


def test_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "run" / "apply.lock"
    with lock.held(path), pytest.raises(UnderstudyError) as caught, lock.held(path):
        pass
    assert caught.value.code == "apply-busy"
    assert str(os.getpid()) in caught.value.message


def test_lock_is_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "apply.lock"
    for _ in range(2):
        with lock.held(path):
            pass
    assert path.read_text(encoding="ascii") == str(os.getpid())


def test_no_path_locks_nothing() -> None:
    with lock.held(None), lock.held(None):
        pass

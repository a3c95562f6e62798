"""One engine per data folder."""

from pathlib import Path

import pytest

from understudy.engine import listen
from understudy.errors import EnvironmentProblemError


def test_a_data_folder_is_held_by_one_and_free_again_after(tmp_path: Path) -> None:
    with (
        listen.exclusive(tmp_path / "run"),
        pytest.raises(EnvironmentProblemError, match="already runs on"),
        listen.exclusive(tmp_path / "run"),
    ):
        pass
    with listen.exclusive(tmp_path / "run"):
        assert (tmp_path / "run" / "engine.lock").read_text().isdigit()

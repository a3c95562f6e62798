from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.targets import layout
from understudy.targets.layout import Layout


def test_everything_lies_below_one_folder(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)

    for folder in (layout.store, layout.run, layout.cache, layout.sandboxes, layout.cold_starts):
        assert folder.is_relative_to(tmp_path / ".understudy")


def test_is_found_from_a_folder_below_and_the_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "understudy.yaml").write_bytes(b"\xff")
    (tmp_path / "a" / "b").mkdir(parents=True)

    assert layout.find(tmp_path / "a" / "b") == Layout(root=tmp_path)


def test_a_folder_of_that_name_is_no_project_file(tmp_path: Path) -> None:
    (tmp_path / "understudy.yaml").mkdir()

    with pytest.raises(UnderstudyError) as caught:
        layout.find(tmp_path)

    assert (caught.value.code, caught.value.hint) == (
        "project-missing",
        "run the command where understudy.yaml is",
    )

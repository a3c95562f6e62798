from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.targets.init import writing


def test_nothing_is_overwritten_and_each_file_s_fate_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "same").write_text("text")
    (tmp_path / "link").symlink_to("nowhere")

    found = writing.write(tmp_path, {"mine": "text", "same": "text", "link": "text", "a/new": "text"})

    assert [one.outcome for one in found] == ["kept", "same", "kept", "written"]
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "a" / "new").read_text() == "text"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    (one,) = writing.write(tmp_path, {"new": "text"}, dry_run=True)

    assert one.outcome == "written"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "deploy").write_text("")

    with pytest.raises(UnderstudyError) as caught:
        writing.write(tmp_path, {"deploy/base/x.yaml": ""})

    assert caught.value.code == "init-write"

from pathlib import Path

from understudy.targets.layout import Layout


def test_everything_lies_below_one_folder(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)

    for folder in (layout.store, layout.run, layout.cache, layout.sandboxes):
        assert folder.is_relative_to(tmp_path / ".understudy")

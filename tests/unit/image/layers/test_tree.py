from pathlib import Path

import pytest

from understudy.image.layers import tree
from understudy.image.layers.tarformat import LayerInvalidError
from understudy.image.layers.tree import Tree


@pytest.mark.parametrize(
    ("path", "parts"), [(b"a/b", (b"a", b"b")), (b"/a//./b/", (b"a", b"b")), (b"./", ()), (b"", ())]
)
def test_path_is_relative_to_the_root(path: bytes, parts: tree.Parts) -> None:
    assert tree.split(path) == parts


@pytest.mark.parametrize("path", [b"..", b"a/../b", b"a\0", b"n" * 256, b"a/" * 256, b"abc/" * 1100])
def test_path_that_leads_elsewhere_is_refused(path: bytes) -> None:
    with pytest.raises(LayerInvalidError):
        tree.split(path)


def test_links_are_resolved_inside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "up").symlink_to("../../../real")
    (root / "absolute").symlink_to("/real/deep")
    with Tree(root) as opened:
        assert opened.parent((b"up", b"x")) == (b"real",)
        assert opened.parent((b"absolute", b"x")) == (b"real", b"deep")
        assert opened.implicit == {(b"real",), (b"real", b"deep")}
        opened.remove((b"real",))
        assert opened.implicit == set()
        assert opened.status((b"real",)) is None
    assert not (tmp_path / "real").exists()


def test_more_directories_than_are_kept_open(tmp_path: Path) -> None:
    with Tree(tmp_path) as opened:
        for number in range(200):
            name = str(number).encode()
            assert opened.parent((name, b"b", b"x")) == (name, b"b")
            assert opened.directory((name, b"b")) > 0
    assert len(list(tmp_path.iterdir())) == 200

import pytest

from understudy.image.layers import entries


@pytest.mark.parametrize(("path", "marker"), [("a/b", "a/.wh.b"), ("top", ".wh.top")])
def test_whiteout_lies_beside_what_it_hides(path: str, marker: str) -> None:
    assert entries.whiteout(path).path == marker


def test_opaque_marker_lies_inside() -> None:
    assert entries.opaque("a").path == "a/.wh..wh..opq"
    assert entries.opaque("").path == ".wh..wh..opq"


def test_folders_come_before_content_and_whiteouts_before_siblings() -> None:
    paths = ["a/b", "a-b", "a", "a/.wh.z", "a/+", "a/.wh..wh..opq", ".wh.gone", "b"]
    assert sorted(paths, key=entries.order) == [
        ".wh.gone", "a", "a/.wh..wh..opq", "a/.wh.z", "a/+", "a/b", "a-b", "b",
    ]  # fmt: skip

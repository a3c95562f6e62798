"""Finding things in layers, and links resolved inside a root."""

from pathlib import Path

import pytest

from understudy.sandbox.inner import root


def test_uppermost_layer_is_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/x").mkdir(mode=0o750)
    layers = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert root._find(layers, "/x") == (tmp_path / "a/x").lstat().st_mode
    (tmp_path / "b/x").write_text("")
    assert root._find(layers, "/x") == (tmp_path / "b/x").lstat().st_mode
    assert root._find(layers, "/nothing") is None


def test_links_stay_inside_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    Path("absolute").symlink_to("/run")
    Path("escaping").symlink_to("../../../../run")
    Path("chain").symlink_to("absolute/deeper")
    assert root._inside("/absolute/x") == "./run/x"
    assert root._inside("/escaping/x") == "./run/x"
    assert root._inside("/chain") == "./run/deeper"


def test_missing_mount_points_go_to_the_layer_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = tmp_path / "image"
    (image / "proc").mkdir(parents=True)
    (image / "etc").mkdir(mode=0o700)
    Path("top").mkdir()
    source = tmp_path / "file"
    source.touch()
    mounts = [[None, "/scratch/tmp", False, ""], [str(source), "/etc/app/conf", True, ""]]
    root._prepare_top({"layers": [str(image)], "files": {"/etc/passwd": "p"}, "mounts": mounts})
    made = {str(path.relative_to("top")) for path in Path("top").rglob("*")}
    assert made == {"etc", "etc/passwd", "dev", "scratch", "scratch/tmp", "etc/app", "etc/app/conf"}
    assert Path("top/etc").stat().st_mode & 0o777 == 0o700
    assert Path("top/etc/app/conf").is_file()


def test_endless_links_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").symlink_to("b")
    Path("b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        root._inside("/a")

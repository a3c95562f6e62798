"""Single files of an image, read from its layers as the mounted root shows them."""

from pathlib import Path

import pytest

from understudy.image import rootfs_view
from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for folder in ("usr/lib/python3.13/encodings", "usr/bin", "opt/venv/bin", "var/task"):
        (lower / folder).mkdir(parents=True)
    (lower / "var/task/app.py").write_text("lower")
    (lower / "var/task/kept.py").write_text("kept")
    (lower / "usr/bin/python3.13").write_text("")
    (lower / "lib").symlink_to("usr/lib")
    (lower / "opt/venv/bin/python").symlink_to("/usr/bin/python3.13")
    (lower / "loop").symlink_to("/loop")
    (lower / "secret").symlink_to("/etc/../../etc/hostname")
    (upper / "var/task").mkdir(parents=True)
    (upper / "var/task/app.py").write_text("upper")
    return lower, upper


def test_upper_layer_wins_and_folders_are_merged(layers: tuple[Path, Path]) -> None:
    files = RootfsView(Rootfs(layers=layers))
    assert files.text("/var/task/app.py") == "upper"
    assert files.text("/var/task/kept.py") == "kept"
    assert files.names("/var/task") == ["app.py", "kept.py"]


def test_links_stay_inside_the_image(layers: tuple[Path, Path]) -> None:
    files = RootfsView(Rootfs(layers=layers))
    assert files.resolve("/lib/python3.13/../python3.13") == "/usr/lib/python3.13"
    assert files.resolve("/opt/venv/bin/python") == "/usr/bin/python3.13"
    assert files.text("/secret") is None
    assert files.resolve("/loop") is None


def test_what_is_no_file_has_no_text(layers: tuple[Path, Path]) -> None:
    files = RootfsView(Rootfs(layers=layers))
    assert files.text("/var/task") is None
    assert files.text("/nowhere/file") is None
    assert files.names("/nowhere") == []


@pytest.mark.parametrize("kind", ["file", "link"])
def test_folder_that_became_something_else_hides_what_was_in_it(layers: tuple[Path, Path], kind: str) -> None:
    place = layers[1] / "usr"
    if kind == "file":
        place.write_text("x")
    else:
        place.symlink_to("/var")
    assert RootfsView(Rootfs(layers=layers)).resolve("/usr/bin/python3.13") is None


def test_standard_library_is_found_by_the_entrypoint_and_the_usual_places(layers: tuple[Path, Path]) -> None:
    own = layers[1] / "home/py/lib/python3.12/encodings"
    own.mkdir(parents=True)
    (layers[1] / "home/py/bin").mkdir()
    (layers[1] / "home/py/bin/python").write_text("")
    files = RootfsView(Rootfs(layers=layers))
    assert rootfs_view.standard_libraries(files, ("/home/py/bin/python",)) == [
        "/home/py/lib/python3.12",
        "/usr/lib/python3.13",
    ]
    assert rootfs_view.standard_libraries(files, ("/bootstrap",)) == ["/usr/lib/python3.13"]
    (layers[0] / "usr/lib/python3.13/encodings").rename(layers[0] / "usr/lib/python3.13/other")
    assert rootfs_view.standard_libraries(files, ()) == []

from pathlib import Path

import pytest

from understudy.errors import UnderstudyError
from understudy.targets.init import tree


def _write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x = 1\n")


def test_the_service_s_own_files_are_read_and_nobody_else_s(tmp_path: Path) -> None:
    _write(tmp_path, "app/build/main.py", "app/env/__init__.py", "Dockerfile", "README.md", "tests/test_a.py")
    _write(tmp_path, "my-env/pyvenv.cfg", "my-env/lib/a.py", ".git/a.py", "node_modules/a.py", "deploy/a.py")

    found = tree.read(tmp_path)

    assert set(found.texts) == {"app/build/main.py", "app/env/__init__.py", "Dockerfile", "tests/test_a.py"}
    assert set(found.python()) == {"app/build/main.py", "app/env/__init__.py"}
    assert found.has("README.md")
    assert found.has("app/env")
    assert found.dockerfiles() == ("Dockerfile",)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError) as caught:
        tree.read(tmp_path / "gone")

    assert caught.value.code == "init-folder"

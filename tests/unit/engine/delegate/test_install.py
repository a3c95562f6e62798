"""The delegate's environment is named by what it holds."""

from pathlib import Path

from understudy.engine.delegate import install


def test_another_lock_is_another_environment(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("x==1")
    second.write_text("x==2")
    paths = {install.python_path(tmp_path, lock) for lock in (first, second)}
    assert len(paths) == 2
    assert not install.is_installed(tmp_path, first)


def test_what_is_complete_is_not_made_again(tmp_path: Path) -> None:
    lock = tmp_path / "a.txt"
    lock.write_text("x==1")
    python = install.python_path(tmp_path, lock)
    python.parent.mkdir(parents=True)
    (python.parent.parent / ".complete").touch()
    lines: list[str] = []
    assert install.install(tmp_path, requirements=lock, progress=lines.append) == python
    assert lines == []


def test_the_shipped_lock_pins_ministack() -> None:
    assert "ministack==" in install.REQUIREMENTS.read_text()

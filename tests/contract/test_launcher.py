"""The launcher as a shell runs it: makes its environment once, and says what a machine lacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with no dependency to install and a package that says what it was called with."""
    folder = tmp_path / "check out"
    package = folder / "src" / "understudy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import sys\nprint('called', sys.argv[1:])\n")
    (folder / "requirements").mkdir()
    (folder / "requirements" / "platform.txt").write_text("# nothing\n")
    shutil.copy2(ROOT / "understudy", folder / "understudy")
    return folder


def _launch(checkout: Path, *arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    environment.pop("PYTHONPATH", None)
    if path is None:
        environment["UNDERSTUDY_PYTHON"] = sys.executable
    return subprocess.run(
        [checkout / "understudy", *arguments],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_makes_its_environment_once_and_passes_the_arguments_on(checkout: Path) -> None:
    first = _launch(checkout, "status", "--output", "a b")
    second = _launch(checkout, "down")

    assert (first.returncode, first.stdout) == (0, "called ['status', '--output', 'a b']\n"), first.stderr
    assert "first use here" in first.stderr
    assert (second.stdout, second.stderr) == ("called ['down']\n", "")


def test_a_new_lock_is_installed_again(checkout: Path) -> None:
    _launch(checkout)
    (checkout / "requirements" / "platform.txt").write_text("# nothing, differently\n")

    assert "first use here" in _launch(checkout).stderr


def test_bytecode_is_kept_whatever_the_user_s_shell_says(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    main = checkout / "src" / "understudy" / "__main__.py"
    main.write_text("import understudy.command\n")
    main.with_name("command.py").write_text("print('called')\n")

    assert _launch(checkout).stdout == "called\n"

    assert list(main.parent.glob("__pycache__/command.*.pyc"))


def _tools(folder: Path, python: str) -> str:
    """A PATH with a shell's usual tools and a python3 of ours."""
    folder.mkdir()
    for tool in ("sh", "cat", "cksum", "dirname", "mkdir", "rmdir", "sleep"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    (folder / "python3").write_text(python)
    (folder / "python3").chmod(0o755)
    return str(folder)


def test_an_old_python_is_named_with_what_to_install(checkout: Path, tmp_path: Path) -> None:
    old = '#!/bin/sh\nif [ "$1" = -V ]; then echo Python 3.9.2; exit 0; fi\nexit 1\n'

    done = _launch(checkout, path=_tools(tmp_path / "bin", old))

    assert done.returncode == 3
    assert "Python 3.9.2" in done.stderr
    assert "3.11" in done.stderr
    assert "UNDERSTUDY_PYTHON=" in done.stderr
    assert not (checkout / ".venv.lock").exists()


def test_a_python_without_venv_is_named_with_the_package(checkout: Path, tmp_path: Path) -> None:
    crippled = '#!/bin/sh\nif [ "$1" = -c ]; then exit 0; fi\nexit 1\n'

    done = _launch(checkout, path=_tools(tmp_path / "bin", crippled))

    assert done.returncode == 3
    assert "apt-get install python3-venv" in done.stderr
    assert not (checkout / ".venv.lock").exists()

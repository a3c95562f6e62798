from pathlib import Path

import pytest

from tests.unit.cli.conftest import Understudy
from understudy.cli import test as command


def checkout(folder: Path) -> None:
    """A checkout whose tox is installed already and says what it was asked."""
    (folder / "requirements").mkdir()
    (folder / "requirements" / "tox.txt").write_text("tox==4\n")
    (folder / "tox.ini").touch()
    bootstrap = folder / ".tox" / "bootstrap"
    (bootstrap / "bin").mkdir(parents=True)
    (bootstrap / "understudy.lock").write_text("tox==4\n")
    (bootstrap / "bin" / "tox").write_text('#!/bin/sh\necho "$PWD $*" > asked\nexit 5\n')
    (bootstrap / "bin" / "tox").chmod(0o755)


def test_arguments_and_the_code_are_tox_s(
    understudy: Understudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(tmp_path)
    monkeypatch.setattr(command, "_ROOT", tmp_path)
    monkeypatch.chdir(Path(__file__).parent)

    done = understudy("test", "-e", "unit", "--", "-k", "x")

    assert done.exit_code == 5
    assert (tmp_path / "asked").read_text() == f"{tmp_path} run -e unit -- -k x\n"


def test_outside_a_checkout_the_next_step_is_named(
    understudy: Understudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_ROOT", tmp_path)

    done = understudy("test")

    assert done.exit_code == 3
    assert "error[no-checkout]" in done.stderr

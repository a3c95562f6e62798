"""``understudy test``: every check of this checkout, each in its own locked environment."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import click

from understudy.errors import EnvironmentProblemError

_ROOT = Path(__file__).parents[3]


@click.command("test", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("tox_arguments", nargs=-1, type=click.UNPROCESSED)
def command(tox_arguments: tuple[str, ...]) -> None:
    """Run lint, types, imports and all tests (tox). Arguments go to tox, such as: -e unit."""
    if not (_ROOT / "tox.ini").is_file():
        raise EnvironmentProblemError(
            "no-checkout",
            f"{_ROOT} is no checkout of understudy: it has no tox.ini",
            hint="clone the repository and run ./understudy test there",
        )
    tox = _ensure_tox(_ROOT / ".tox" / "bootstrap", _ROOT / "requirements" / "tox.txt")
    os.chdir(_ROOT)
    sys.exit(subprocess.call([tox, "run", *tox_arguments]))


def _ensure_tox(folder: Path, lock: Path) -> Path:
    """Returns the path of tox, installed from its lock when the lock is new."""
    stamp = folder / "understudy.lock"
    text = lock.read_text()
    if not stamp.is_file() or stamp.read_text() != text:
        venv.create(folder, with_pip=True, clear=True)
        python = folder / "bin" / "python"
        install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", lock], check=True)
        stamp.write_text(text)
    return folder / "bin" / "tox"

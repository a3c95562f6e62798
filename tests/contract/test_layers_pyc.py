"""A real interpreter must accept every compiled file of a layer, or each cold start would compile again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.image.samples import EPOCH, image_of, store_at
from understudy.image import layers, rootfs
from understudy.image.layers import diff
from understudy.image.layers.extract import extract_layer

MODULES = ("app/__init__.py", "app/code.py", "app/deep/__init__.py", "app/deep/more.py", "lone.py")


def compiled(root: Path, *, mode: str) -> Path:
    for name in MODULES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"NAME = {name!r}\n")
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", mode, str(root)]
    subprocess.run(command, check=True)
    return root


def imports(root: Path) -> str:
    """Imports everything with -v and returns what the interpreter says about compiled files."""
    done = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import app.code, app.deep.more, lone"],
        env={"PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in done.stderr.splitlines() if str(root) in line or "bytecode" in line)


def unpacked(upper: Path, tmp_path: Path, *, epoch: int) -> Path:
    store = store_at(tmp_path / "store")
    descriptor, diff_id = layers.write_layer(store, upper, epoch=epoch)
    target = tmp_path / "unpacked"
    target.mkdir()
    with store.open_blob(descriptor.digest) as blob:
        extract_layer(blob, target, overlay_whiteouts=True, diff_id=diff_id)
    return target


@pytest.mark.parametrize("mode", ["timestamp", "unchecked-hash", "checked-hash"])
@pytest.mark.parametrize("epoch", [0, EPOCH], ids=["1970", "2023"])
def test_no_module_is_compiled_again(tmp_path: Path, mode: str, epoch: int) -> None:
    target = unpacked(compiled(tmp_path / "upper", mode=mode), tmp_path, epoch=epoch)
    assert int((target / "lone.py").stat().st_mtime) == epoch
    said = imports(target)
    assert said.count("matches") == len(MODULES)
    assert "code object from" in said
    assert "bytecode" not in said.replace(".pyc", "")


def test_file_that_was_stale_before_is_still_compiled_again(tmp_path: Path) -> None:
    upper = compiled(tmp_path / "upper", mode="timestamp")
    (upper / "lone.py").write_text("NAME = 'edited after it was compiled'\n")
    said = imports(unpacked(upper, tmp_path, epoch=EPOCH))
    assert "bytecode is stale for 'lone'" in said
    assert said.count("bytecode is stale") == 1


def test_two_builds_at_different_times_give_one_digest(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    found = set()
    for number, name in enumerate(("first", "second")):
        upper = compiled(tmp_path / name / "root", mode="timestamp")
        for path in upper.rglob("*.py"):
            # As if written at another time: source and compiled file both move.
            os.utime(path, (EPOCH + 5000 + number, EPOCH + 5000 + number))
        for path in upper.rglob("*.pyc"):
            path.unlink()
        # In place, so that no path of the folder gets into the code objects.
        subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=upper, check=True)
        found.add(layers.write_layer(store, upper, epoch=EPOCH))
    assert len(found) == 1


def test_prepared_root_serves_valid_files(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    upper = compiled(tmp_path / "upper", mode="timestamp")
    image = image_of(store, list(diff.overlay_entries(upper, epoch=EPOCH)))
    (layer,) = rootfs.prepare(store, image.digest).layers
    assert "stale" not in imports(layer)

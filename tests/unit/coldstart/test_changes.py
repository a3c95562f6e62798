import compileall
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.coldstart import changes
from understudy.coldstart.changes import Change
from understudy.errors import UnderstudyError
from understudy.image.rootfs import Rootfs
from understudy.sandbox.model import SandboxSpec

LAZY = """
import sys
import slow
assert "ran" not in sys.argv, sys.argv
assert slow.VALUE == 1
assert "ran" in sys.argv, sys.argv
"""


def spec(*entrypoint: str) -> SandboxSpec:
    return SandboxSpec(
        rootfs=Rootfs(layers=()), entrypoint=entrypoint, command=(), working_dir="", environment={}
    )


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("bytecode", Change(kind="bytecode")),
        ("lazy-import:a.b_c", Change(kind="lazy-import", subject="a.b_c")),
        ("drop:PyYAML", Change(kind="drop", subject="PyYAML")),
        ("drop:ruamel.yaml", Change(kind="drop", subject="ruamel.yaml")),
    ],
)
def test_what_can_be_tried_is_written_as_it_is_printed(text: str, change: Change) -> None:
    assert changes.parse(text) == change
    assert str(change) == text


@pytest.mark.parametrize(
    "text", ["", "bytecode:x", "lazy-import", "lazy-import:a b", "drop:", "drop:a;rm", "drop:-r", "other:x"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UnderstudyError, match="no change that can be tried"):
        changes.parse(text)


def test_a_lazy_module_runs_when_it_is_first_used(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import sys\nsys.argv.append('ran')\nVALUE = 1\n")
    (tmp_path / "sitecustomize.py").write_text(changes.program(changes.parse("lazy-import:slow")))
    (tmp_path / "main.py").write_text(LAZY)

    subprocess.run([sys.executable, tmp_path / "main.py"], env={"PYTHONPATH": str(tmp_path)}, check=True)


def test_a_distribution_is_dropped_file_by_file(tmp_path: Path) -> None:
    info = tmp_path / "site" / "shop_kit-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-kit\nVersion: 1.0\n")
    (info / "RECORD").write_text("kit.py,,\nbox/in/__init__.py,,\nshop_kit-1.0.dist-info/METADATA,,\n")
    (tmp_path / "site" / "kit.py").write_text("")
    (tmp_path / "site" / "box" / "in").mkdir(parents=True)
    (tmp_path / "site" / "box" / "in" / "__init__.py").write_text("")
    (tmp_path / "site" / "other.py").write_text("")
    compileall.compile_dir(tmp_path / "site", quiet=1)
    files = changes.build_files(changes.parse("drop:shop-kit"), spec("/bootstrap"), base="image")
    script = tmp_path / "change.py"
    script.write_text(files["understudy-change.py"])

    subprocess.run([sys.executable, script], env={"PYTHONPATH": str(tmp_path / "site")}, check=True)

    assert not (tmp_path / "site" / "kit.py").exists()
    assert not (tmp_path / "site" / "box").exists()
    left = [path.name for path in (tmp_path / "site" / "__pycache__").iterdir()]
    assert [name.partition(".")[0] for name in left] == ["other"]
    assert (tmp_path / "site" / "other.py").exists()
    again = subprocess.run([sys.executable, script], env={}, check=False, capture_output=True, text=True)
    assert "no distribution shop-kit is installed" in again.stderr


@pytest.mark.parametrize(
    ("entrypoint", "python"),
    [("/lambda-entrypoint.sh", "python3"), ("/opt/venv/bin/python3.13", "/opt/venv/bin/python3.13")],
)
def test_bytecode_is_made_by_the_image_s_own_python(entrypoint: str, python: str) -> None:
    files = changes.build_files(changes.parse("bytecode"), spec(entrypoint), base="image")

    assert files["Dockerfile"].startswith("FROM image\nUSER root\n")
    assert (
        f"RUN {python} -m compileall -q --invalidation-mode unchecked-hash /var/task" in files["Dockerfile"]
    )

from pathlib import Path

import pytest

from understudy.coldstart import installed
from understudy.coldstart.installed import Installed, Requirement
from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView

LIBRARY = "var/lang/lib/python3.13"
SITE = f"{LIBRARY}/site-packages"
METADATA = """\
Metadata-Version: 2.4
Name: Shop.Kit
Requires-Dist: click>=8.0
Requires-Dist: PyYAML[fast, safe]>=6; python_version < "3.99"
Requires-Dist: rich; extra == "cli" or extra == 'all'

Requires-Dist: nothing that a description says
"""
INFO = "Shop_Kit-1.0.dist-info"
RECORD = f"""\
kit/__init__.py,,
kit/data.json,,
../../../bin/kit,,
kit/gone.py,,
{INFO}/METADATA,,
{INFO}/entry_points.txt,,
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Installed]:
    base = write(
        tmp_path / "base",
        **{
            f"{LIBRARY}/encodings/__init__.py": "",
            f"{LIBRARY}/os.py": "",
            f"{SITE}/pip-25.dist-info/METADATA": "Name: pip\n\n",
            f"{SITE}/pip/__init__.py": "",
        },
    )
    top = write(
        tmp_path / "top",
        **{
            f"{SITE}/{INFO}/METADATA": METADATA,
            f"{SITE}/{INFO}/RECORD": RECORD,
            f"{SITE}/{INFO}/entry_points.txt": "[pytest11]\n",
            f"{SITE}/kit/__init__.py": "1\n",
            f"{SITE}/kit/__pycache__/__init__.cpython-313.pyc": "compiled",
            f"{SITE}/kit/__pycache__/other.cpython-313.pyc": "another's",
            f"{SITE}/kit/data.json": "{}",
            "var/lang/bin/kit": "#!",
            f"{SITE}/bare-2.0.dist-info/METADATA": "",
            # A base whose pip is replaced later is the base all the same.
            f"{SITE}/pip/__init__.py": "",
        },
    )
    rootfs = Rootfs(layers=(base, top))
    folders = ["/var/task", f"/{SITE}"]
    told = installed.load(RootfsView(rootfs), rootfs, folders, entrypoint=["/lambda-entrypoint.sh"])
    return {one.key: one for one in told}


def test_what_lies_in_the_layers_of_the_interpreter_is_the_base_s(found: dict[str, Installed]) -> None:
    assert {key: one.is_base for key, one in found.items()} == {
        "pip": True,
        "shop-kit": False,
        "bare": False,
    }


def test_files_are_those_that_are_there_with_their_bytecode_but_not_the_list_of_plugins(
    tmp_path: Path, found: dict[str, Installed]
) -> None:
    site = tmp_path / "top" / SITE
    assert found["shop-kit"].files == {
        site / "kit/__init__.py": 2,
        site / "kit/__pycache__/__init__.cpython-313.pyc": 8,
        site / "kit/data.json": 2,
        tmp_path / "top/var/lang/bin/kit": 2,
        site / INFO / "METADATA": len(METADATA),
    }
    assert found["shop-kit"].modules == {"kit"}


def test_requirements_hold_but_for_those_of_an_extra(found: dict[str, Installed]) -> None:
    assert found["shop-kit"].requires == (
        Requirement(key="click"),
        Requirement(key="pyyaml", extras=frozenset({"fast", "safe"})),
        Requirement(key="rich", of_extras=frozenset({"cli", "all"})),
    )


def test_one_that_tells_nothing_is_known_by_its_folder(found: dict[str, Installed]) -> None:
    assert found["bare"] == Installed(name="bare", key="bare")

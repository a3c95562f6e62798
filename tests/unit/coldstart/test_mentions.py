from pathlib import Path

import pytest

from understudy.coldstart import mentions
from understudy.coldstart.owners import Owners
from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView

OWN = '''\
"""Nothing like docstring_words here."""
import boto3.session as session, yaml
from . import sibling
from .cousin import thing
URL = "postgresql+psycopg2://"
def export():
    "another docstring"
    from openpyxl import Workbook
    # a comment on pandas
    pattern = "\\d"
'''
KIT = """\
import json
try:
    import fast_json
except ImportError:
    pass
def later():
    from kit.part import x
    import slow_json
"""


def owners(root: Path, **files: str) -> tuple[RootfsView, Owners]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    whose = Owners(distributions={"kit": "kit", "rich": "rich"}, folders=("/var/task", "/site"))
    return RootfsView(Rootfs(layers=(root,))), whose


def test_own_code_names_what_it_imports_anywhere_and_the_words_of_its_strings(tmp_path: Path) -> None:
    view, whose = owners(tmp_path, **{"var/task/shop/main.py": OWN})
    found = mentions.of_own_code(view, whose)

    assert {"boto3", "yaml", "openpyxl", "psycopg2"} <= found
    assert found.isdisjoint({"docstring_words", "another", "pandas", "sibling", "cousin", "thing"})


def test_what_is_installed_beside_own_code_is_not_own_code(tmp_path: Path) -> None:
    files = ("kit/main.py", ".venv/lib/python3.13/site-packages/x.py", "shop/readme.txt")
    view, whose = owners(tmp_path, **{f"var/task/{name}": "import requests\n" for name in files})

    assert mentions.of_own_code(view, whose) == frozenset()


def test_code_that_this_python_cannot_read_names_every_word(tmp_path: Path) -> None:
    view, whose = owners(tmp_path, **{"var/task/old.py": "print 'x'\nimport yaml\n"})

    assert mentions.of_own_code(view, whose) == {"print", "x", "import", "yaml"}


@pytest.mark.parametrize(
    ("loaded", "named"),
    [
        (["kit"], {"json", "fast_json", "slow_json"}),
        (["kit.part"], {"requests"}),
        (["rich", "json", "shop"], set()),
    ],
)
def test_of_others_only_what_was_loaded_counts(tmp_path: Path, loaded: list[str], named: set[str]) -> None:
    files = {"site/kit/__init__.py": KIT, "site/kit/part.py": "import requests\n"}
    view, whose = owners(tmp_path, **files, **{"var/task/shop.py": "import yaml\n"})

    assert mentions.of_loaded(view, whose, loaded) == named

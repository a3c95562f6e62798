from pathlib import Path

import pytest

from understudy.coldstart import owners
from understudy.coldstart.owners import Owners
from understudy.image.rootfs import Rootfs
from understudy.image.rootfs_view import RootfsView

RECORD = """\
yaml/__init__.py,sha256=x,1
_yaml.cpython-313-x86_64-linux-gnu.so,sha256=x,1
six.py,sha256=x,1
../../bin/tool,sha256=x,1
__pycache__/six.cpython-313.pyc,,
PyYAML-6.0.dist-info/RECORD,,
"""


@pytest.fixture
def found(tmp_path: Path) -> Owners:
    folder = tmp_path / "var/task/my_yaml-6.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "RECORD").write_text(RECORD)
    view = RootfsView(Rootfs(layers=(tmp_path,)))
    return owners.load(view, ["/var/task", "/nowhere"], task_root="/var/task")


@pytest.mark.parametrize(
    ("module", "owner"),
    [
        ("yaml.loader", "my-yaml"),
        ("_yaml", "my-yaml"),
        ("six", "my-yaml"),
        ("json.decoder", "standard library"),
        ("awslambdaric.bootstrap", "runtime client"),
        ("shop.main", "your code"),
    ],
)
def test_a_module_belongs_to_who_installed_it(found: Owners, module: str, owner: str) -> None:
    assert found.of_module(module) == owner


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/var/task/shop/main.py", True),
        ("/var/task/handler.py", True),
        ("/var/task/yaml/loader.py", False),
        ("/var/task/six.py", False),
        ("/var/task/.venv/lib/python3.13/site-packages/x.py", False),
        ("/var/lang/lib/python3.13/json/__init__.py", False),
    ],
)
def test_the_user_s_files_are_those_of_the_task_root_that_nobody_installed(
    found: Owners, path: str, own: bool
) -> None:
    assert found.is_own_file(path) is own

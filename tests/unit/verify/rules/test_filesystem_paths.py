"""Paths that expressions come to, and those that stay unknown."""

import ast

import pytest

from tests.fakes import image_files as fake
from understudy.verify.rules import entry_user_code
from understudy.verify.rules.filesystem_paths import Paths

HEAD = "import os\nimport os.path\nfrom pathlib import Path\n"


def value(expression: str, before: str = "", **launch: str) -> str | None:
    text = f"{HEAD}{before}\nresult = {expression}\n"
    subject = fake.subject({"/var/task/pkg/app.py": text}, command=("pkg.app.handler",), function_env=launch)
    module = next(item for item in entry_user_code.modules(subject) if item.name == "pkg.app")
    last = module.tree.body[-1]
    assert isinstance(last, ast.Assign)
    return Paths(module).of(last.value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'/srv/x'", "/srv/x"),
        ("'x.log'", "/var/task/x.log"),
        ("Path('/srv') / 'a' / 'b'", "/srv/a/b"),
        ("Path('/srv', 'a')", "/srv/a"),
        ("os.path.join('/srv', 'a')", "/srv/a"),
        ("f'/srv/{Path(\"a\")}'", "/srv/a"),
        ("'/srv' + '/a'", "/srv/a"),
        ("Path(__file__).parent / 'data'", "/var/task/pkg/data"),
        ("Path(__file__).resolve().parent.parent / 'data'", "/var/task/data"),
        ("os.path.join(os.path.dirname(os.path.abspath(__file__)), 'data')", "/var/task/pkg/data"),
        ("Path.home() / '.cache'", "/home/sbx_user1051/.cache"),
        ("os.path.expanduser('~/.cache')", "/home/sbx_user1051/.cache"),
        ("Path('~/.cache').expanduser()", "/home/sbx_user1051/.cache"),
        ("Path.cwd() / 'x'", "/var/task/x"),
        ("Path('/srv').joinpath('a', 'b')", "/srv/a/b"),
        ("Path('/srv/../tmp/x')", "/tmp/x"),
    ],
)
def test_known(expression: str, expected: str) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "name",
        "os.environ['X']",
        "os.environ.get('X', '/srv')",
        "Path(name) / 'x'",
        "f'/srv/{name}'",
        "f'/srv/{1:03}'",
        "tempfile.gettempdir()",
        "'/srv/%s' % name",
        "Path('/srv').with_suffix('.x')",
        "b'/srv'",
    ],
)
def test_unknown(expression: str) -> None:
    assert value(expression) is None


def test_a_constant_of_the_module_is_known() -> None:
    assert value("LOG / 'x'", "LOG = Path('/srv')") == "/srv/x"


@pytest.mark.parametrize(
    "before",
    [
        "LOG = Path('/srv')\nif flag:\n    LOG = Path('/tmp')",
        "LOG = Path('/srv')\ndef f(LOG): ...",
        "for LOG in x: ...",
    ],
)
def test_a_name_that_is_bound_twice_is_unknown(before: str) -> None:
    assert value("LOG / 'x'", before) is None


def test_home_of_the_function() -> None:
    assert value("Path.home()", HOME="/tmp") == "/tmp"

from collections.abc import Mapping

import pytest

from tests.fakes.image_files import ImageFiles
from understudy.verify.python.closure import Walker
from understudy.verify.python.constants import Scope
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.modules import Finder, Module
from understudy.verify.python.visits import Closure

TASK = "/var/task"
SITE = "/site-packages"


def walk(files: Mapping[str, str], entry: str = "app") -> Closure:
    image = ImageFiles(
        {f"{TASK}/{path}" if not path.startswith("/") else path: text for path, text in files.items()}
    )
    finder = Finder(image, (TASK, SITE), (".so",))
    module = finder.find(entry)
    assert module is not None

    def own(found: Module) -> bool:
        return found.path.startswith(f"{TASK}/")

    return Walker(image, finder, Scope(path="", version=(3, 13)), own).walk([module])


def seen(closure: Closure) -> dict[str, Reach]:
    return {visit.module.name: visit.reach for visit in closure.visits.values()}


def loud(closure: Closure) -> list[tuple[str, str, Reach]]:
    return [(item.name, item.error, item.reach) for item in closure.failures if not item.swallowed]


def test_goes_from_module_to_module_and_stops_at_libraries() -> None:
    found = walk(
        {
            "app.py": "import pkg.a\nimport lib\n",
            "pkg/__init__.py": "from . import b\n",
            "pkg/a.py": "from .c import d\n",
            "pkg/b.py": "",
            "pkg/c/__init__.py": "d = 1\n",
            f"{SITE}/lib.py": "import nothing\n",
        }
    )
    assert set(seen(found)) == {"app", "pkg", "pkg.a", "pkg.b", "pkg.c", "lib"}
    assert set(found.facts) == {f"{TASK}/{name}" for name in ("app.py", "pkg/__init__.py", "pkg/a.py")} | {
        f"{TASK}/pkg/b.py",
        f"{TASK}/pkg/c/__init__.py",
    }
    assert loud(found) == []


def test_keeps_the_way_to_what_is_missing() -> None:
    found = walk({"app.py": "import a\n", "a.py": "\nimport b\n", "b.py": "import sqlalchemy.orm\nc=1\n"})
    (failure,) = found.failures
    assert failure.error == "No module named 'sqlalchemy'"
    assert [(step.name, step.line) for step in failure.way] == [("app", 1), ("a", 2), ("b", 1)]


def test_the_surest_way_to_a_module_counts() -> None:
    found = walk(
        {
            "app.py": "def f():\n    import a\nimport b\n",
            "a.py": "import missing_a\n",
            "b.py": "if x:\n    import c\nimport a\n",
            "c.py": "import missing_c\n",
        }
    )
    assert seen(found)["a"] is Reach.SURE
    assert seen(found)["c"] is Reach.CONDITIONAL
    assert loud(found) == [
        ("missing_a", "No module named 'missing_a'", Reach.SURE),
        ("missing_c", "No module named 'missing_c'", Reach.CONDITIONAL),
    ]


def test_what_catches_an_import_catches_what_it_imports() -> None:
    found = walk(
        {"app.py": "try:\n    import a\nexcept ImportError:\n    a = None\n", "a.py": "import missing\n"}
    )
    assert [item.swallowed for item in found.failures] == [True]


def test_fallbacks_count_when_they_are_needed() -> None:
    both = {"app.py": "try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n"}
    assert [item[0] for item in loud(walk(both))] == ["b"]
    assert [item[0] for item in loud(walk({**both, "a.py": ""}))] == ["c"]


@pytest.mark.parametrize(
    ("files", "entry", "error"),
    [
        ({"app.py": "from . import a\n"}, "app", "attempted relative import with no known parent package"),
        ({"app.py": "from .a import b\n"}, "app", "attempted relative import with no known parent package"),
        (
            {"pkg/app.py": "from ..a import b\n", "a.py": "b = 1\n"},
            "pkg.app",
            "attempted relative import beyond top-level package",
        ),
        ({"pkg/app.py": "from .a import b\n"}, "pkg.app", "No module named 'pkg.a'"),
        ({"app.py": "import a.b\n", "a.py": ""}, "app", "No module named 'a.b'; 'a' is not a package"),
        (
            {"app.py": "from a import b\n", "a.py": ""},
            "app",
            "cannot import name 'b' from 'a' (/var/task/a.py)",
        ),
        (
            {"app.py": "from a import b\n", "a/c.py": ""},
            "app",
            "cannot import name 'b' from 'a' (unknown location)",
        ),
        (
            {"pkg/__init__.py": "", "pkg/app.py": "from . import b\n"},
            "pkg.app",
            "cannot import name 'b' from 'pkg' (/var/task/pkg/__init__.py)",
        ),
    ],
)
def test_says_what_python_says(files: dict[str, str], entry: str, error: str) -> None:
    assert [item[1] for item in loud(walk(files, entry))] == [error]


@pytest.mark.parametrize(
    "files",
    [
        {"app.py": "from a import b\n", "a.py": "from c import *\n", "c.py": ""},
        {"app.py": "from a import b\n", "a.py": "def __getattr__(name): ...\n"},
        {"app.py": "from a import b\n", "a.py": "globals()['b'] = 1\n"},
        {"app.py": "from a import b\n", "a.py": "try:\n    b = 1\nfinally:\n    pass\n"},
        {"app.py": "from a import b\n", "a/__init__.py": "", "a/b.py": ""},
        {"app.py": "import a.b\n", "a.py": "sys.modules['a.b'] = c\n"},
        {"app.py": "from six.moves import urllib\n", f"{SITE}/six.py": "sys.modules[x] = y\n"},
        {"app.py": "from lib import anything\n", f"{SITE}/lib.py": ""},
        {"app.py": "import a\n", "a.pyc": ""},
        {"pkg/app.py": "from .a import b\nfrom . import a\n", "pkg/a.py": "b = 1\n"},
        {"app.py": "import app\nfrom app import late\nlate = 1\n"},
        {"app.py": "from a import __name__ as n\n", "a.py": ""},
    ],
)
def test_is_silent_about_what_may_be_there(files: dict[str, str]) -> None:
    entry = "pkg.app" if "pkg/app.py" in files else "app"
    assert loud(walk(files, entry)) == []


def test_follows_directories_that_the_code_adds_to_the_path() -> None:
    found = walk(
        {
            "app.py": "import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\n"
            "import a\n",
            "lib/a.py": "import b\n",
            "lib/b.py": "import missing\n",
        }
    )
    assert [item[0] for item in loud(found)] == ["missing"]
    assert not found.opaque
    assert walk({"app.py": "import sys\nsys.path.append(where())\n"}).opaque == f"{TASK}/app.py"


def test_notes_what_does_not_compile() -> None:
    found = walk({"app.py": "import a\n", "a.py": "def f(:\n"})
    assert found.invalid[f"{TASK}/a.py"].line == 1


def test_stops_at_its_budget() -> None:
    files = {f"m{number}.py": f"import m{number + 1}\n" for number in range(700)}
    found = walk({**files, "m700.py": ""}, "m0")
    assert not found.complete
    assert len(found.facts) == 600

import ast

import pytest

from understudy.verify.python import imports
from understudy.verify.python.constants import Scope
from understudy.verify.python.importmodel import Import, ModuleFacts, Reach

SURE, LAZY, CONDITIONAL = Reach.SURE, Reach.LAZY, Reach.CONDITIONAL


def facts(text: str) -> ModuleFacts:
    return imports.facts(ast.parse(text), Scope(path="/var/task/app.py", version=(3, 13)))


def only(text: str, name: str = "x") -> Import:
    found = [item for item in facts(text).imports if item.module == name]
    assert found, text
    return min(found, key=lambda item: item.context.reach)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("import x", SURE),
        ("from x import y", SURE),
        ("import x.y as z", SURE),
        ("class A:\n    import x", SURE),
        ("with open('a') as f:\n    import x", SURE),
        ("try:\n    pass\nfinally:\n    import x", SURE),
        ("if sys.version_info >= (3, 9):\n    import x", SURE),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import x", SURE),
        ("def f():\n    import x\nf()", SURE),
        ("def f():\n    import x\napp = g(f())", SURE),
        ("def f():\n    def g():\n        import x\n    g()\n", LAZY),
        ("importlib.import_module('x')", SURE),
        ("y = __import__('x')", SURE),
        ("if DEBUG:\n    import x", CONDITIONAL),
        ("y = DEBUG and __import__('x')", CONDITIONAL),
        ("for a in b:\n    import x", CONDITIONAL),
        ("match a:\n    case 1:\n        import x", CONDITIONAL),
        ("if DEBUG:\n    sys.exit()\nimport x", CONDITIONAL),
        ("if TYPE_CHECKING:\n    sys.exit()\nimport x", SURE),
        ("try:\n    import y\nexcept ImportError:\n    raise\nimport x", SURE),
        ("def f():\n    import x", LAZY),
        ("async def f():\n    import x", LAZY),
        ("class A:\n    def f(self):\n        import x", LAZY),
        ("f = lambda: __import__('x')", LAZY),
        ("def f():\n    if a:\n        import x", CONDITIONAL),
        ("def f():\n    if a:\n        return\n    import x", CONDITIONAL),
    ],
)
def test_knows_how_sure_an_import_is(text: str, reach: Reach) -> None:
    name = "x.y" if "x.y" in text else "x"
    assert only(text, name).context.reach is reach


@pytest.mark.parametrize(
    ("text", "swallowed"),
    [
        ("try:\n    import x\nexcept ImportError:\n    x = None", True),
        ("try:\n    import x\nexcept ModuleNotFoundError:\n    x = None", True),
        ("try:\n    import x\nexcept (ValueError, ImportError):\n    x = None", True),
        ("try:\n    import x\nexcept Exception as e:\n    log(e)", True),
        ("try:\n    import x\nexcept:\n    pass", True),
        ("try:\n    import x\nexcept ValueError:\n    pass", False),
        ("try:\n    import x\nexcept ImportError:\n    raise RuntimeError('install x')", False),
        ("try:\n    import x\nexcept ImportError:\n    sys.exit(1)", False),
        ("with contextlib.suppress(ImportError):\n    import x", True),
        ("with suppress(Exception):\n    import x", True),
        ("if importlib.util.find_spec('x'):\n    import x", True),
        ("if find_spec('x') is not None:\n    import x", True),
        ("import x", False),
    ],
)
def test_knows_whether_a_failure_is_noticed(text: str, swallowed: bool) -> None:
    assert only(text).context.swallows("ImportError", "ModuleNotFoundError") is swallowed


def test_leaves_out_what_never_runs_on_lambda() -> None:
    for text in (
        "if TYPE_CHECKING:\n    import x",
        "if sys.platform == 'win32':\n    import x",
        "if __name__ == '__main__':\n    import x",
        "if __name__ == '__main__':\n    def f():\n        import x\n    f()",
        "if sys.version_info < (3, 11):\n    import x",
        "importlib.import_module(name)",
        "importlib.import_module('.x', __package__)",
    ):
        assert facts(text).imports == [], text


def test_ties_fallbacks_to_what_they_stand_for() -> None:
    text = "try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n"
    assert only(text, "b").context.instead_of == ("a",)
    assert only(text, "c").context.needs == ("a",)
    assert only(text, "b").context.reach is SURE


def test_keeps_relative_imports_apart() -> None:
    found = facts("from . import a, b\nfrom ..c import *\n").imports
    assert [(item.level, item.module, item.names) for item in found] == [
        (1, "", ("a", "b")),
        (2, "c", ("*",)),
    ]


@pytest.mark.parametrize(
    ("text", "additions", "opaque"),
    [
        ("sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))", ["/var/task/lib"], False),
        ("HERE = Path(__file__).parent\nsys.path.append(str(HERE / 'lib'))", ["/var/task/lib"], False),
        ("from sys import path\npath.append('/opt/x')", ["/opt/x"], False),
        ("site.addsitedir('/opt/x')", ["/opt/x"], False),
        ("def f():\n    sys.path.append('/opt/x')", ["/opt/x"], False),
        ("sys.path.append(find())", [], True),
        ("sys.path += ['/x']", [], True),
        ("sys.path[0:0] = ['/x']", [], True),
        ("sys.meta_path.append(Finder())", [], True),
        ("print(sys.path)", [], False),
    ],
)
def test_follows_changes_of_the_search_path(text: str, additions: list[str], opaque: bool) -> None:
    found = facts(text)
    assert (found.path_additions, found.opaque_path) == (additions, opaque)


def test_knows_the_names_of_a_module() -> None:
    found = facts(
        "import a.b, c as d\nfrom e import f as g\nh = i = 1\nj, (k, *l) = m\nclass n:\n    o = 1\n"
        "def p():\n    global q\n    q = r = 1\nfor s in t:\n    u: int = 1\n"
        "with v as w:\n    pass\nif (z := 1):\n    pass\n"
    )
    assert found.defines == set("adghijklnpqsuwz")
    assert not found.open_ended


@pytest.mark.parametrize(
    "text",
    ["from a import *", "def __getattr__(name):\n    ...", "globals()['a'] = 1", "exec('a = 1')"],
)
def test_knows_when_a_module_may_have_other_names(text: str) -> None:
    assert facts(text).open_ended


def test_finds_questions_for_metadata() -> None:
    found = facts(
        "from importlib.metadata import version\nimport importlib.metadata\n"
        "__version__ = version('a')\nimportlib.metadata.version('b')\nversion(__package__)\n"
        "def f():\n    return importlib.metadata.distribution('c')\n"
        "try:\n    version('d')\nexcept PackageNotFoundError:\n    pass\n"
    ).metadata
    assert [(item.distribution, item.context.reach) for item in found] == [
        ("a", SURE),
        ("b", SURE),
        ("d", SURE),
        ("c", LAZY),
    ]
    assert found[2].context.swallows("PackageNotFoundError")
    assert facts("def version(x): ...\nversion('a')").metadata == []


def test_finds_modules_that_code_makes() -> None:
    assert facts("sys.modules['a.b'] = c\nsys.modules.setdefault('d', e)").registers == {"a.b", "d"}
    assert facts("sys.modules[name] = c").registers == {""}

import ast
import sys

import pytest

from understudy.verify.python import grammar
from understudy.verify.python.grammar import Invalid, Unknown

HOST = sys.version_info[:2]

SINCE = {
    "f-string with its own quotes": ((3, 12), 'x = {"a": 1}\ny = f"{x["a"]}"\nimport z\n'),
    "f-string over lines": ((3, 12), 'y = f"{\n 1\n + 2}"\n\nimport z\n'),
    "f-string with a backslash": ((3, 12), 'y = f"{chr(10)}{"\\n".join([])}"\nimport z\n'),
    "f-strings in each other": ((3, 12), 'y = f"{f"{f"{1}"}"}"\nimport z\n'),
    "f-string with a comment": ((3, 12), 'y = f"""{\n1 # it\'s\n}"""\nimport z\n'),
    "f-string with formats": ((3, 12), 'y = f"{x!r:>{width}} {d["k"]:%H:%M} {{}} {m[{1: 2}]}"\nimport z\n'),
    "raw f-string": ((3, 12), 'y = rf"\\d{{3}}\\{x["a"]}"\nimport z\n'),
    "keyword before a string": ((3, 12), 'y = f"{1 if a else"x"}" if b in"cd"else""\nimport z\n'),
    "alias": ((3, 12), "type X = int\ntype Y[T: (int, str)] = dict[str, T]\nimport z\n"),
    "alias in a block": ((3, 12), "if a:\n    type X = int\n    import z\n"),
    "generic function": ((3, 12), "def f[T: int, *Ts, **P](x: T) -> T:\n    return x\nimport z\n"),
    "generic over lines": ((3, 12), "class A[\n    T,  # it's\n    U,\n](B):\n    x: T\nimport z\n"),
    "generic class": ((3, 12), "class A[T]: pass\nclass B[T](A[T]): pass\nimport z\n"),
    "defaults of parameters": ((3, 13), "def f[T = int](x): pass\nimport z\n"),
    "several exceptions": ((3, 14), "try:\n    pass\nexcept A, B:\n    pass\nimport z\n"),
    "t-string": ((3, 14), 'y = t"{x["a"]}"\nimport z\n'),
}
OLD = {
    "match": ((3, 10), "match x:\n    case {'a': [1, *r]} if r: pass\nimport z\n"),
    "except star": ((3, 11), "try: pass\nexcept* A: pass\nimport z\n"),
    "walrus": ((3, 8), "if (n := 1): pass\nimport z\n"),
}
BROKEN = {
    "parenthesis": ("def f(:\n    pass\n", 1),
    "statement": ('a = 1\nprint "x"\n', 2),
    "string": ("a = 'x\nb = 1\n", 1),
    "field": ('type A = int\nb = f"{a"\n', 2),
    "indent": ("type A = int\nif a:\npass\n", 3),
}


@pytest.mark.parametrize(("since", "source"), [*SINCE.values(), *OLD.values()], ids=[*SINCE, *OLD])
def test_reads_what_the_images_python_reads(since: tuple[int, int], source: str) -> None:
    for version in {since, max(since, (3, 13)), (3, 14)}:
        tree = grammar.parse(source.encode(), version)
        assert isinstance(tree, ast.Module), tree
        lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Import)]
        assert lines == [source.count("\n", 0, source.rindex("import z")) + 1]


# What tells two releases apart that are both newer than the host is not worth a false alarm.
JUDGED = {name: case for name, case in {**SINCE, **OLD}.items() if (3, case[0][1] - 1) <= HOST}


@pytest.mark.parametrize(("since", "source"), JUDGED.values(), ids=JUDGED)
def test_refuses_what_is_newer_than_the_images_python(since: tuple[int, int], source: str) -> None:
    refused = grammar.parse(source.encode(), (3, since[1] - 1))
    assert isinstance(refused, Invalid)
    assert refused.newer_than_image == (since <= HOST)


@pytest.mark.parametrize("version", [(3, 9), (3, 11), (3, 12), (3, 13), (3, 14)], ids=str)
@pytest.mark.parametrize(("source", "line"), BROKEN.values(), ids=BROKEN)
def test_refuses_what_no_python_reads(source: str, line: int, version: tuple[int, int]) -> None:
    refused = grammar.parse(source.encode(), version)
    assert isinstance(refused, Invalid)
    if "type A" not in source or version > HOST:
        assert refused.line == line


def test_says_nothing_about_a_python_it_does_not_know() -> None:
    assert isinstance(grammar.parse(b"[*x for x in y]\n", (3, 99)), Unknown)


def test_refuses_bytes_that_are_no_text() -> None:
    for source in (b"a = '\xff'\n", b"a\x00b\n"):
        assert isinstance(grammar.parse(source, HOST), Invalid)
        assert isinstance(grammar.parse(source, (3, 14)), Invalid)


def test_does_not_warn_of_the_images_code() -> None:
    assert isinstance(grammar.parse(b'a = "\\d"\n', (3, 13)), ast.Module)


def test_constant_strings_survive_the_rewriting() -> None:
    source = 'type A = int\nload("""a\n[b""", f"{1}", "def x[")\n'
    tree = ast.parse(grammar.rewritten(source, (3, 12)))
    assert [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)] == [
        "a\n[b",
        "",
        "def x[",
    ]

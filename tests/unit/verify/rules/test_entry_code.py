"""Which expressions an import surely evaluates."""

import ast
import textwrap

import pytest

from understudy.verify.python import constants
from understudy.verify.python.constants import Scope
from understudy.verify.rules import entry_code

SCOPE = Scope(path="/var/task/app.py", version=(3, 13))


def calls(text: str) -> dict[str, entry_code.Executed]:
    tree = ast.parse(textwrap.dedent(text))
    return {
        constants.dotted(item.node.func): item
        for item in entry_code.executed(tree, SCOPE)
        if isinstance(item.node, ast.Call)
    }


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        pytest.param("x()", True, id="statement"),
        pytest.param("y = [1, x()]", True, id="inside-an-expression"),
        pytest.param("class A:\n    y = x()", True, id="class-body"),
        pytest.param("@x()\ndef f(): ...", True, id="decorator"),
        pytest.param("def f(y=x()): ...", True, id="default"),
        pytest.param("with x() as y: ...", True, id="with"),
        pytest.param("with y:\n    x()", True, id="inside-with"),
        pytest.param("def f():\n    x()\nf()", True, id="called-function"),
        pytest.param("y = [i for i in x()]", True, id="first-iterable"),
        pytest.param("try:\n    x()\nfinally:\n    pass", True, id="try-finally"),
        pytest.param("import sys\nif sys.version_info >= (3, 9):\n    x()", True, id="true-by-definition"),
        pytest.param("if y:\n    x()", False, id="condition"),
        pytest.param("for i in y:\n    x()", False, id="loop"),
        pytest.param("y or x()", False, id="second-operand"),
        pytest.param("y if z else x()", False, id="conditional-expression"),
        pytest.param("[x() for i in y]", False, id="element"),
        pytest.param("if y:\n    raise SystemExit\nx()", False, id="after-a-way-out"),
        pytest.param("def f():\n    if y:\n        return\n    x()\nf()", False, id="function-left-early"),
        pytest.param("try:\n    y\nexcept KeyError:\n    x()", False, id="handler"),
        pytest.param("match y:\n    case 1:\n        x()", False, id="case"),
    ],
)
def test_sure(text: str, sure: bool) -> None:
    assert calls(text)["x"].sure is sure


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("def f():\n    x()", id="function"),
        pytest.param("y = lambda: x()", id="lambda"),
        pytest.param("if __name__ == '__main__':\n    x()", id="main"),
        pytest.param("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x()", id="type-checking"),
        pytest.param("def f():\n    yield x()\nf()", id="generator"),
    ],
)
def test_not_executed(text: str) -> None:
    assert "x" not in calls(text)


@pytest.mark.parametrize(
    ("text", "survives"),
    [
        pytest.param("try:\n    x()\nexcept OSError:\n    pass", True, id="caught"),
        pytest.param("try:\n    x()\nexcept (KeyError, OSError):\n    pass", True, id="one-of-several"),
        pytest.param("try:\n    x()\nexcept Exception:\n    pass", True, id="everything"),
        pytest.param("try:\n    x()\nexcept:\n    pass", True, id="bare"),
        pytest.param(
            "from contextlib import suppress\nwith suppress(OSError):\n    x()", True, id="suppressed"
        ),
        pytest.param("try:\n    x()\nexcept OSError:\n    raise", False, id="raised-again"),
        pytest.param("try:\n    x()\nexcept KeyError:\n    pass", False, id="another-error"),
        pytest.param("x()", False, id="not-tried"),
    ],
)
def test_survives(text: str, survives: bool) -> None:
    assert calls(text)["x"].survives("OSError") is survives


def test_a_test_for_existence_is_told_from_other_conditions() -> None:
    assert calls("import os\nif not os.path.exists(p):\n    x()")["x"].tested
    assert not calls("if flag:\n    x()")["x"].tested
    assert not calls("if flag:\n    if not p.exists():\n        x()")["x"].tested


def test_a_function_that_calls_itself_ends() -> None:
    assert "x" in calls("def f():\n    x()\n    f()\nf()")


def test_full_names_undo_imports() -> None:
    tree = ast.parse("import os\nimport os.path\nfrom pathlib import Path as P\nimport numpy as np")
    names = entry_code.aliases(ast.walk(tree))
    expression = ast.parse("P.home", mode="eval").body
    assert entry_code.full_name(expression, names) == "pathlib.Path.home"
    assert names["np"] == "numpy"
    assert names["os"] == "os"

"""Which modules code names, whether it runs that part or not: what it may import in another request.

The user's own code is read whole, for a string may name a module too (``importlib``, a database's URL). Of
what others wrote, only modules that were loaded count, and their import statements.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from understudy.coldstart import owners

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from understudy.coldstart.owners import Owners
    from understudy.image.rootfs_view import RootfsView

_WORD = re.compile(r"[^\W\d]\w*")
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+([^\W\d]\w*)", re.MULTILINE)


def of_own_code(view: RootfsView, whose: Owners) -> frozenset[str]:
    """First parts of the modules that the user's own code imports, and all words of its strings."""
    found: set[str] = set()
    for path in _sources(view, whose.task_root.rstrip("/"), whose):
        found |= _named(view.text(path) or "")
    return frozenset(found)


def of_loaded(view: RootfsView, whose: Owners, modules: Iterable[str]) -> frozenset[str]:
    """First parts of the modules that loaded ones of distributions import, in any of their functions.

    Args:
        view: of the image.
        whose: the modules are, and the folders that they lie in.
        modules: dotted names of those that were loaded.
    """
    found: set[str] = set()
    for module in modules:
        top = module.partition(".")[0]
        if whose.of_module(module) not in {owners.STDLIB, owners.RUNTIME_CLIENT, owners.OWN}:
            found.update(
                name for name in _IMPORT.findall(_source(view, whose.folders, module)) if name != top
            )
    return frozenset(found)


def _source(view: RootfsView, folders: Iterable[str], module: str) -> str:
    path = module.replace(".", "/")
    for folder in folders:
        for name in (f"{folder}/{path}.py", f"{folder}/{path}/__init__.py"):
            text = view.text(name)
            if text is not None:
                return text
    return ""


def _sources(view: RootfsView, folder: str, whose: Owners) -> Iterator[str]:
    files = set(view.files(folder))
    for name in view.names(folder):
        path = f"{folder}/{name}"
        if path not in files:
            if name != "site-packages" and whose.is_own_file(f"{path}/"):
                yield from _sources(view, path, whose)
        elif name.endswith(".py") and whose.is_own_file(path):
            yield path


def _named(source: str) -> set[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the user's code, which another Python compiles
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set(_WORD.findall(source))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            found.update(_WORD.findall(node.value))
    return found

"""What ``.pth`` files run when Python starts, as far as it can be told from their text.

Editable installs of setuptools map names to directories in a generated module, which is read. Of other hooks
only one thing is asked: whether their code looks as if it changed how modules are found.
"""

import ast
import posixpath
import re
from collections.abc import Iterable

from understudy.verify.model import Files
from understudy.verify.python import searchpath
from understudy.verify.python.constants import dotted
from understudy.verify.python.modules import Finder

_CHANGES = (b"meta_path", b"path_hooks", b"sys.path", b"sys.modules", b"addsitedir", b"exec(")
_IMPORTED = re.compile(r"(?:^|;)\s*(?:import|from)\s+([\w.]+)")
_NO_HOOKS = frozenset({"import", "sys", "os", "types", "importlib", "site"})


def editable(files: Files, hooks: Iterable[str]) -> dict[str, str]:
    """Returns where the editable installs among `hooks` say that modules are: name to file or directory."""
    mapped: dict[str, str] = {}
    for hook in hooks:
        for name in _modules(files, hook):
            if name.startswith("__editable__"):
                mapped.update(_mapping(files, f"{posixpath.dirname(hook)}/{name}.py"))
    return mapped


def unknown(files: Files, hooks: Iterable[str], finder: Finder) -> tuple[str, ...]:
    """Returns those of `hooks` that may change how modules are found in a way that is not known."""
    return tuple(hook for hook in hooks if _may_change(files, hook, finder))


def _modules(files: Files, hook: str) -> tuple[str, ...]:
    lines = searchpath.pth_lines(files, hook) if hook.endswith(".pth") else ()
    names = (name for line in lines for name in _IMPORTED.findall(line) if line.startswith("import"))
    return tuple(dict.fromkeys(names))


def _may_change(files: Files, hook: str, finder: Finder) -> bool:
    if not hook.endswith(".pth"):
        return True
    text = " ".join(searchpath.pth_lines(files, hook)).encode()
    names = _modules(files, hook)
    if any(name.startswith("__editable__") for name in names):
        return False
    if any(mark in text for mark in _CHANGES):
        return True
    for name in names:
        module = finder.find(name)
        if name in _NO_HOOKS or module is None:
            # A line that fails is reported on stderr and skipped.
            continue
        if not module.path.endswith(".py"):
            return True
        code = files.read(module.path)
        if any(mark in code for mark in _CHANGES):
            return True
    return False


def _mapping(files: Files, path: str) -> dict[str, str]:
    """The constant MAPPING of a module that setuptools generates, and the parts of its NAMESPACES."""
    try:
        tree = ast.parse(files.read(path))
    except (FileNotFoundError, SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if [dotted(target) for target in targets] != ["MAPPING"] or not isinstance(value, ast.Dict):
            continue
        for key, place in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(place, ast.Constant):
                found[str(key.value)] = str(place.value)
    return found

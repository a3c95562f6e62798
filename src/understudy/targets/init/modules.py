"""The Python modules of a repository by their names in the image, and which of them a handler loads; pure.

A module that nothing on the way from the handler imports does not run on Lambda: what it reads from the
environment is nobody's setting.
"""

import ast
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A module whose text could be read.

    Attributes:
        name: as `import` says it.
        path: relative to the repository.
        tree: its syntax.
    """

    name: str
    path: str
    tree: ast.Module


def parse(texts: Mapping[str, str]) -> dict[str, ast.Module]:
    """The syntax trees of modules by path; a module that this Python cannot parse is left out."""
    found = {}
    for path, text in texts.items():
        try:
            found[path] = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
    return found


def find(name: str, trees: Mapping[str, ast.Module], context: str) -> str | None:
    """The path of module `name` below `context`, the nearest when several end so; None when there is none."""
    tail = name.replace(".", "/").strip("/")
    below = "" if context == "." else f"{context}/"
    found = [
        path
        for path in trees
        if path.startswith(below)
        and any(f"/{path}".endswith(f"/{end}") for end in (f"{tail}.py", f"{tail}/__init__.py"))
    ]
    return min(found, key=lambda path: (path.count("/"), path), default=None)


def root_of(path: str, name: str) -> str:
    """The folder that a module called `name` is imported from, when it lies at `path`."""
    parts = path.removesuffix("/__init__.py").removesuffix(".py").split("/")
    return "/".join(parts[: len(parts) - name.count(".") - 1]) or "."


def name_in(path: str, root: str) -> str:
    """The name of the module at `path` for those who import from folder `root`."""
    inner = path if root == "." else posixpath.relpath(path, root)
    return inner.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")


def reached(entry: str, trees: Mapping[str, ast.Module], root: str) -> tuple[Code, ...]:
    """What importing the module at path `entry` loads, itself first; imports inside functions too."""
    by_name = {name_in(path, root): path for path in trees if root == "." or path.startswith(f"{root}/")}
    pending, seen = _with_packages(name_in(entry, root)), dict[str, Code]()
    while pending:
        name = pending.pop(0)
        path = by_name.get(name)
        if path is None or name in seen:
            continue
        seen[name] = Code(name=name, path=path, tree=trees[path])
        for imported in _imports(seen[name], is_package=path.endswith("/__init__.py")):
            pending += _with_packages(imported)
    return tuple(seen.values())


def _with_packages(name: str) -> list[str]:
    """A module and the packages around it, which importing it runs as well; the module first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _imports(code: Code, *, is_package: bool) -> Iterator[str]:
    for node in ast.walk(code.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            before = _absolute(code.name, node, is_package=is_package)
            yield before
            # Each name may be a module.
            yield from (f"{before}.{alias.name}" for alias in node.names)


def _absolute(name: str, node: ast.ImportFrom, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, *(node.module.split(".") if node.module else [])])

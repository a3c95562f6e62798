"""ASGI applications and Lambda handlers in the code of a service; pure."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.verify.python.constants import dotted

_FRAMEWORKS = frozenset({"FastAPI", "Starlette", "Quart", "Litestar"})
_PLAIN_HANDLERS = frozenset({"handler", "lambda_handler"})
_FIRST = ("main", "app", "api", "server", "application", "asgi", "handler", "__init__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A name at the top of a module.

    Attributes:
        path: of the module.
        name: the variable or function.
        wraps: for a handler made by Mangum, the variable of its application; empty for one made in place.
    """

    path: str
    name: str
    wraps: str = ""


def applications(trees: Mapping[str, ast.Module]) -> tuple[Found, ...]:
    """The applications, the likeliest first."""
    return _ranked(
        Found(path=path, name=name)
        for path, tree in trees.items()
        for name, call in _assigned(tree)
        if dotted(call.func).rpartition(".")[2] in _FRAMEWORKS or _factory(tree, dotted(call.func))
    )


def handlers(trees: Mapping[str, ast.Module]) -> tuple[Found, ...]:
    """The handlers, those that Mangum makes first, else functions called so, the likeliest first."""
    made = _ranked(
        Found(path=path, name=name, wraps=_wrapped(call))
        for path, tree in trees.items()
        for name, call in _assigned(tree)
        if dotted(call.func).rpartition(".")[2] == "Mangum"
    )
    written = _ranked(
        Found(path=path, name=node.name)
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in _PLAIN_HANDLERS and len(node.args.args) == 2
    )
    return (*made, *written)


def defines(tree: ast.Module, name: str) -> bool:
    """Whether a module has `name` at its top: assigned, defined, or imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
            return True
        if isinstance(node, ast.Import | ast.ImportFrom) and any(
            name in (alias.asname or alias.name, "*") or alias.name == "*" for alias in node.names
        ):
            return True
    return False


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                yield name, call
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                yield name, call
            case _:
                pass


def _factory(tree: ast.Module, called: str) -> bool:
    """Whether `called` is a function of this module that makes an application."""
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == called
        and any(
            isinstance(inner, ast.Call) and dotted(inner.func).rpartition(".")[2] in _FRAMEWORKS
            for inner in ast.walk(node)
        )
        for node in tree.body
    )


def _wrapped(call: ast.Call) -> str:
    given = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "app")]
    return next((dotted(one) for one in given if isinstance(one, ast.Name)), "")


def _ranked(found: Iterator[Found]) -> tuple[Found, ...]:
    def likelihood(one: Found) -> tuple[int, int, str]:
        stem = one.path.rpartition("/")[2].removesuffix(".py")
        return (_FIRST.index(stem) if stem in _FIRST else len(_FIRST), one.path.count("/"), one.path)

    return tuple(sorted(found, key=likelihood))

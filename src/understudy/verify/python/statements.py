"""Small questions to statements of a syntax tree, asked by whoever follows the order of execution."""

import ast
from collections.abc import Iterator

from understudy.verify.python.constants import dotted

LEAVES = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort"})
"""Functions that do not come back."""


def inner(statement: ast.stmt, *, handlers: bool = True) -> Iterator[ast.stmt]:
    """Statements inside a compound statement, one level down."""
    for node in children(statement):
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, ast.match_case) or (handlers and isinstance(node, ast.ExceptHandler)):
            yield from node.body


def children(node: ast.AST) -> Iterator[ast.AST]:
    """`ast.iter_child_nodes` at half its price; most of the time of reading a module goes there."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST):
            yield value


def caught(handler: ast.ExceptHandler) -> Iterator[str]:
    """Exceptions that a handler keeps to itself; one that always raises or exits keeps none."""
    last = handler.body[-1] if handler.body else None
    if isinstance(last, ast.Raise):
        return
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and dotted(last.value.func) in LEAVES:
        return
    if handler.type is None:
        yield "*"
        return
    for kind in handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]:
        yield exception(kind)


def exception(node: ast.expr) -> str:
    """Returns the name of an exception's class, ``*`` for those that take all."""
    name = dotted(node).rpartition(".")[2]
    return "*" if name in ("Exception", "BaseException", "") else name

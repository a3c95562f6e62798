"""What kind of events a handler takes, guessed from its source; pure.

A guess only decides which event is sent first: the function's answer decides the rest.
"""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from understudy.verify.boot.model import HandlerKind

# Adapters and routers that take payload 2.0; others (Chalice, REST resolvers) want an event of their own.
ADAPTERS = frozenset({"mangum", "apig_wsgi", "serverless_wsgi"})
_ROUTERS = re.compile(r"\b(?:APIGatewayHttpResolver|LambdaFunctionUrlResolver)\b")
_OPENAPI_URL = re.compile(r"""\bopenapi_url\s*=\s*["'](/[^"']*)["']""")
_DEFAULT_OPENAPI_URL = "/openapi.json"


def module_paths(handler: str, folders: Sequence[str]) -> list[str]:
    """Where the module of `handler` (``package.module.function``) may be, the likeliest first."""
    module, dot, _ = handler.rpartition(".")
    if not dot or not module:
        return []
    relative = module.replace(".", "/").strip("/")
    names = (f"{relative}.py", f"{relative}/__init__.py")
    return [posixpath.join(folder, name) for folder in dict.fromkeys(folders) for name in names]


def kind(source: str, handler: str) -> HandlerKind:
    """Whether the handler is a web application's, any other function, or neither to be seen."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return "unknown"
    if _ROUTERS.search(source) or not ADAPTERS.isdisjoint(_imported(tree)):
        return "web"
    name = handler.rpartition(".")[2]
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    if any(isinstance(node, defined) and node.name == name for node in tree.body):
        return "plain"
    return "unknown"


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def openapi_url(sources: Sequence[str]) -> str:
    """Where the application serves its OpenAPI document: FastAPI's default unless a source says otherwise."""
    for source in sources:
        found = _OPENAPI_URL.search(source)
        if found is not None:
            return found[1]
    return _DEFAULT_OPENAPI_URL

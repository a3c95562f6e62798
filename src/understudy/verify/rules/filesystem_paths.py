"""Paths that expressions of a module come to, where its text alone decides.

Pure. Knows string constants, ``pathlib``, ``os.path`` and ``__file__``; refuses anything that depends on a
value from outside, so that an answer is always the path that the code will use.
"""

import ast
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from understudy.verify.rules import entry_code
from understudy.verify.rules.entry_user_code import UserModule

HOME = "/home/sbx_user1051"
_PATH_TYPES = frozenset({"pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.PurePosixPath"})
_AS_IS = frozenset({"str", "os.fspath", "os.path.normpath", "os.path.abspath", "os.path.realpath"})
_SAME = frozenset({"resolve", "absolute", "as_posix", "__str__"})


class Paths:
    """Evaluates path expressions of one module.

    Attributes:
        names: what its imported names stand for.
    """

    def __init__(self, module: UserModule) -> None:
        self.names = module.names
        self._home = module.scope.environment.get("HOME") or HOME
        self._working_dir = module.scope.working_dir
        self._fixed = {
            "pathlib.Path.home": self._home,
            "os.getcwd": self._working_dir,
            "pathlib.Path.cwd": self._working_dir,
        }
        self._functions: dict[str, Callable[[str], str]] = {
            **dict.fromkeys(_AS_IS, str),
            "os.path.dirname": posixpath.dirname,
            "os.path.expanduser": self._expanded,
        }
        self._bindings = _bindings(module.nodes)
        self._constants: dict[str, str | None] = {"__file__": module.path}
        for statement in module.tree.body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                self._assign(statement.targets[0], statement.value)
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                self._assign(statement.target, statement.value)

    def of(self, node: ast.expr | None) -> str | None:
        """The absolute path that `node` comes to; `None` when it is not known."""
        text = None if node is None else self._value(node)
        if not text:
            return None
        return posixpath.normpath(posixpath.join(self._working_dir, text))

    def is_path(self, node: ast.expr) -> bool:
        """Whether `node` surely is a path object whose value is known."""
        return self._value(node) is not None

    def _value(self, node: ast.expr) -> str | None:
        try:
            return self._text(node)
        except RecursionError:
            return None

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name) and self._bindings[target.id] == 1:
            self._constants[target.id] = self._value(value)

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self._constants.get(node.id)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            return _map(posixpath.dirname, self._text(node.value))
        return self._composed(node)

    def _composed(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.JoinedStr):
            return self._joined(node.values, "")
        if isinstance(node, ast.FormattedValue):
            return self._text(node.value) if node.format_spec is None else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
            return self._joined([node.left, node.right], "/" if isinstance(node.op, ast.Div) else "")
        return None

    def _joined(self, nodes: Sequence[ast.expr], separator: str) -> str | None:
        texts = [self._text(node) for node in nodes]
        known = [text for text in texts if text is not None]
        if len(known) < len(texts) or not known:
            return None
        return posixpath.join(*known) if separator else "".join(known)

    def _call(self, node: ast.Call) -> str | None:
        if node.keywords or any(isinstance(item, ast.Starred) for item in node.args):
            return None
        name = entry_code.full_name(node.func, self.names)
        if name in _PATH_TYPES or name == "os.path.join":
            return self._joined(node.args, "/") if node.args else "."
        if name in self._fixed:
            return self._fixed[name]
        if name in self._functions:
            return _map(self._functions[name], self._text(node.args[0])) if len(node.args) == 1 else None
        return self._method(node)

    def _method(self, node: ast.Call) -> str | None:
        function = node.func
        text = self._text(function.value) if isinstance(function, ast.Attribute) else None
        if text is None or not isinstance(function, ast.Attribute):
            return None
        if function.attr == "joinpath" and node.args:
            rest = self._joined(node.args, "/")
            return _map(lambda tail: posixpath.join(text, tail), rest)
        if function.attr == "expanduser":
            return self._expanded(text)
        return text if function.attr in _SAME and not node.args else None

    def _expanded(self, text: str) -> str:
        return self._home + text[1:] if text == "~" or text.startswith("~/") else text


def _map(function: Callable[[str], str], text: str | None) -> str | None:
    return None if text is None else function(text)


def _bindings(nodes: Iterable[ast.AST]) -> Counter[str]:
    """How often each name is bound anywhere in the module; a parameter counts, for it hides a constant."""
    found: Counter[str] = Counter()
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.arg):
            found[node.arg] += 2
    return found

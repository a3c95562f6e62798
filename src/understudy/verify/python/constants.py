"""Values of expressions that depend on nothing but where the module is.

Knows the ways in which modules name directories beside themselves (`os.path`, `pathlib`, ``__file__``,
``LAMBDA_TASK_ROOT``) and the conditions that hold by definition on Lambda. All else is `None`: unknown.
"""

import ast
import operator
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_COMPARE: Mapping[type[ast.cmpop], Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_PATH_MODULES = frozenset({"", "os.path", "path", "osp", "op", "posixpath", "pathlib", "os"})
# Names that are true for type checkers and while a package builds itself, and for no importer.
_NEVER = frozenset({"TYPE_CHECKING", "__NUMPY_SETUP__", "__SCIPY_SETUP__", "__SKLEARN_SETUP__"})
_SAME_PATH = frozenset(
    {"abspath", "realpath", "normpath", "fspath", "expanduser", "join", "str", "Path", "PurePath"}
)
_SAME_METHODS = frozenset({"resolve", "absolute", "as_posix", "expanduser"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is known of a module before its code is read.

    Attributes:
        path: of its file, in the image.
        version: of the image's Python.
        working_dir: of the process.
        environment: variables that Lambda sets or the image and the function do.
        is_main: whether it is run as a script.
        names: module-level names with a known value.
    """

    path: str
    version: tuple[int, int]
    working_dir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    is_main: bool = False
    names: dict[str, str] = field(default_factory=dict)


def dotted(node: ast.AST) -> str:
    """Returns ``a.b.c`` for a chain of attributes of a name, nothing for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def text(node: ast.AST | None) -> str | None:
    """Returns the text of a string constant."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def path(node: ast.expr, scope: Scope) -> str | None:
    """Returns the absolute path that an expression names, None when that cannot be known."""
    value = _path(node, scope)
    return None if value is None else posixpath.normpath(posixpath.join(scope.working_dir, value))


def truth(node: ast.expr, scope: Scope) -> bool | None:
    """Returns whether a condition holds at import on Lambda, None when that cannot be known."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        value = truth(node.operand, scope)
        return None if value is None else not value
    if isinstance(node, ast.BoolOp):
        return _both(node, scope)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node, scope)
    if isinstance(node, ast.Call) and dotted(node.func) == "sys.platform.startswith" and node.args:
        return "linux".startswith(text(node.args[0]) or " ")
    return False if dotted(node).rpartition(".")[2] in _NEVER else None


def _both(node: ast.BoolOp, scope: Scope) -> bool | None:
    values = [truth(value, scope) for value in node.values]
    decisive = isinstance(node.op, ast.Or)
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def _compared(node: ast.Compare, scope: Scope) -> bool | None:
    left, right, how = node.left, node.comparators[0], node.ops[0]
    name = dotted(left)
    if name in ("sys.version_info", "version_info") and isinstance(right, ast.Tuple):
        wanted = tuple(item.value for item in right.elts if isinstance(item, ast.Constant))
        compare = _COMPARE.get(type(how))
        if compare is None or len(wanted) != len(right.elts) or not all(isinstance(v, int) for v in wanted):
            return None
        # The patch level is not known; sixty stands for any, since no comparison names as high a one.
        return compare((*scope.version, 60), tuple(int(str(item)) for item in wanted))
    known = {
        "__name__": "__main__" if scope.is_main else "",
        "sys.platform": "linux",
        "os.name": "posix",
        "platform.system": "Linux",
    }
    if isinstance(left, ast.Call) and not left.args:
        name = dotted(left.func)
    expected = text(right)
    if name not in known or expected is None or not isinstance(how, ast.Eq | ast.NotEq):
        return _version_item(node, scope)
    return (known[name] == expected) == isinstance(how, ast.Eq)


def _version_item(node: ast.Compare, scope: Scope) -> bool | None:
    """``sys.version_info[0] == 3`` and ``sys.version_info.minor < 12``."""
    left, right = node.left, node.comparators[0]
    item: object = None
    if isinstance(left, ast.Subscript) and dotted(left.value) == "sys.version_info":
        item = left.slice.value if isinstance(left.slice, ast.Constant) else None
    elif dotted(left).startswith("sys.version_info."):
        item = {"major": 0, "minor": 1}.get(dotted(left).rpartition(".")[2])
    compare = _COMPARE.get(type(node.ops[0]))
    if item not in (0, 1) or compare is None or not isinstance(right, ast.Constant):
        return None
    if not isinstance(right.value, int) or not isinstance(item, int):
        return None
    return compare((scope.version[item],), (right.value,))


def _path(node: ast.expr, scope: Scope) -> str | None:
    match node:
        case ast.Constant(value=str() as constant):
            value: str | None = constant
        case ast.Name(id=name):
            value = scope.path if name == "__file__" else scope.names.get(name)
        case ast.Call():
            value = _called(node, scope)
        case ast.BinOp(left=left, op=ast.Div() | ast.Add(), right=right):
            parts = _all([left, right], scope)
            value = None if parts is None else _combined(parts, concatenated=isinstance(node.op, ast.Add))
        case ast.Attribute(value=inner, attr="parent"):
            above = _path(inner, scope)
            value = None if above is None else posixpath.dirname(above)
        case ast.Subscript():
            value = _subscript(node, scope)
        case ast.JoinedStr(values=values):
            parts = _all(values, scope)
            value = None if parts is None else "".join(parts)
        case ast.FormattedValue(value=inner):
            value = _path(inner, scope)
        case _:
            value = None
    return value


def _all(nodes: Iterable[ast.expr], scope: Scope) -> list[str] | None:
    values = [_path(node, scope) for node in nodes]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _combined(parts: list[str], *, concatenated: bool) -> str:
    return "".join(parts) if concatenated else posixpath.join(*parts)


def _called(node: ast.Call, scope: Scope) -> str | None:
    name = dotted(node.func)
    if name in ("os.getcwd", "Path.cwd", "pathlib.Path.cwd"):
        return scope.working_dir
    if name in ("os.getenv", "os.environ.get"):
        return _variable(node, scope)
    arguments = _all(node.args, scope)
    if arguments is None:
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr in (*_SAME_METHODS, "joinpath"):
        base = _path(node.func.value, scope)
        return None if base is None else posixpath.join(base, *arguments)
    return _function(name, arguments, scope) if arguments else None


def _function(name: str, arguments: list[str], scope: Scope) -> str | None:
    module, _, function = name.rpartition(".")
    if module not in _PATH_MODULES:
        return None
    if function == "dirname":
        return posixpath.dirname(arguments[0])
    if function not in _SAME_PATH:
        return None
    joined = posixpath.join(*arguments)
    # Absolute here and not only at the end: dirname of a relative path would lose what it is relative to.
    return posixpath.join(scope.working_dir, joined) if function in ("abspath", "realpath") else joined


def _variable(node: ast.Call, scope: Scope) -> str | None:
    name = text(node.args[0]) if node.args else None
    if name is None:
        return None
    if name in scope.environment:
        return scope.environment[name]
    return _path(node.args[1], scope) if len(node.args) > 1 else None


def _subscript(node: ast.Subscript, scope: Scope) -> str | None:
    if dotted(node.value) == "os.environ":
        return scope.environment.get(text(node.slice) or "")
    above, place = node.value, node.slice
    if not isinstance(above, ast.Attribute) or above.attr != "parents" or not isinstance(place, ast.Constant):
        return None
    base = _path(above.value, scope)
    if base is None or not isinstance(place.value, int) or place.value < 0:
        return None
    for _ in range(place.value + 1):
        base = posixpath.dirname(base)
    return base

"""The environment variables that the code of a service reads, and what a name in it stands for; pure.

Knows `os.environ`, `os.getenv`, starlette's and decouple's ``config("NAME")`` and the fields of
pydantic-settings. A name is followed through assignments, defaults of parameters and imports, as far as one
value comes of it.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.targets.init.modules import Code
from understudy.verify.python.constants import dotted, text

_GETTERS = frozenset({"os.getenv", "getenv", "os.environ.get", "environ.get"})
_CONFIGS = frozenset({"config", "Config", "env"})
_SETTINGS = frozenset({"BaseSettings", "pydantic_settings.BaseSettings"})
_DEPTH = 6

Shape = Literal["text", "number", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable that the code reads.

    Attributes:
        default: what the code takes where it is not set; None when that is nothing, or no constant.
        required: whether the code fails without it.
        shape: what its text has to look like.
        where: ``path:line``.
        field: the attribute of the settings that holds it; empty for a plain read.
    """

    name: str
    default: str | None
    required: bool
    where: str
    shape: Shape = "text"
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What an expression comes to: an environment variable, a constant, or both where one has a default."""

    variable: str = ""
    constant: str = ""


def find(codes: Sequence[Code]) -> tuple[Variable, ...]:
    """The variables, each once: where one of several reads fails without it, it is required."""
    found: dict[str, Variable] = {}
    for code in codes:
        for variable in (*_reads(code), *_settings(code)):
            known = found.get(variable.name)
            if known is None or (variable.required and not known.required):
                found[variable.name] = variable
    return tuple(found.values())


class Names:
    """What names of a service's code stand for."""

    def __init__(self, codes: Sequence[Code]) -> None:
        self._fields = {one.field: one for code in codes for one in _settings(code)}
        self._bound: dict[str, list[ast.expr]] = {}
        for code in codes:
            for name, expression in _bindings(code.tree):
                self._bound.setdefault(name, []).append(expression)

    def value(self, node: ast.expr, depth: int = _DEPTH) -> Value:
        """What an expression stands for; empty when nobody can say."""
        match node:
            case ast.Constant(value=str() as constant):
                return Value(constant=constant)
            case ast.Call() | ast.Subscript():
                read = _read(node)
                return Value() if read is None else Value(variable=read[0], constant=read[1] or "")
            case ast.BoolOp(values=[first, *others]):
                return self._either(first, others, depth)
            case ast.Attribute(attr=name) if name in self._fields:
                field = self._fields[name]
                return Value(variable=field.name, constant=field.default or "")
            case ast.Name(id=name) | ast.Attribute(attr=name) if depth:
                found = {self.value(one, depth - 1) for one in self._bound.get(name, ())} - {Value()}
                return found.pop() if len(found) == 1 else Value()
            case _:
                return Value()

    def _either(self, first: ast.expr, others: list[ast.expr], depth: int) -> Value:
        """``os.getenv("NAME") or "default"``."""
        value = self.value(first, depth)
        if value.variable and not value.constant and others:
            return Value(variable=value.variable, constant=self.value(others[-1], depth).constant)
        return value


def _reads(code: Code) -> Iterator[Variable]:
    configured = any(
        isinstance(node, ast.ImportFrom) and node.module in ("starlette.config", "decouple", "environs")
        for node in code.tree.body
    )
    numbers = {
        id(node.args[0])
        for node in ast.walk(code.tree)
        if isinstance(node, ast.Call) and dotted(node.func) in ("int", "float") and node.args
    }
    for node in ast.walk(code.tree):
        read = _read(node, configured=configured)
        if read is not None and isinstance(node, ast.expr):
            name, default, required = read
            where = f"{code.path}:{node.lineno}"
            shape: Shape = "number" if id(node) in numbers else "text"
            yield Variable(name=name, default=default, required=required, where=where, shape=shape)


def _read(node: ast.AST, *, configured: bool = False) -> tuple[str, str | None, bool] | None:
    """Name, constant default, and whether it fails without, of a read of the environment; None for others."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        name = text(node.slice) if dotted(node.value) in ("os.environ", "environ") else None
        return (name, None, True) if name else None
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name = text(node.args[0])
    is_config = configured and dotted(node.func) in _CONFIGS
    if name is None or not (is_config or dotted(node.func) in _GETTERS):
        return None
    defaults = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "default")]
    return name, _constant(defaults[0]) if defaults else None, is_config and not defaults


def _settings(code: Code) -> Iterator[Variable]:
    """The fields of pydantic-settings' classes: each is a variable, in upper case behind a prefix."""
    for node in ast.walk(code.tree):
        if isinstance(node, ast.ClassDef) and any(dotted(base) in _SETTINGS for base in node.bases):
            prefix = _prefix(node)
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    yield _field(item, item.target.id, prefix, code.path)


def _field(item: ast.AnnAssign, name: str, prefix: str, path: str) -> Variable:
    alias, default, required = None, None, item.value is None
    if isinstance(item.value, ast.Call) and dotted(item.value.func).endswith("Field"):
        words = {word.arg: word.value for word in item.value.keywords}
        alias = text(words.get("validation_alias") or words.get("alias"))
        given = [*item.value.args[:1], *([words["default"]] if "default" in words else [])]
        default = _constant(given[0]) if given else None
        is_ellipsis = bool(given) and isinstance(given[0], ast.Constant) and given[0].value is Ellipsis
        required = is_ellipsis or not (given or "default_factory" in words)
    elif item.value is not None:
        default = _constant(item.value)
    return Variable(
        name=alias or f"{prefix}{name}".upper(),
        default=default,
        required=required,
        shape=_shape(item.annotation),
        where=f"{path}:{item.lineno}",
        field=name,
    )


def _shape(annotation: ast.expr) -> Shape:
    name = dotted(annotation)
    if name in ("int", "float"):
        return "number"
    return "flag" if name == "bool" else "text"


def _prefix(node: ast.ClassDef) -> str:
    """``env_prefix`` of a settings class, in either of pydantic's ways to write it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.keyword) and inner.arg == "env_prefix":
            return text(inner.value) or ""
        if isinstance(inner, ast.Assign) and any(dotted(one) == "env_prefix" for one in inner.targets):
            return text(inner.value) or ""
    return ""


def _bindings(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names and attributes with what they are bound to; parameters with their defaults."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                names = [dotted(target).rpartition(".")[2] for target in targets]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                names = [dotted(target).rpartition(".")[2]]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _defaults(node.args)
                continue
            case _:
                continue
        yield from ((name, value) for name in names if name and dotted(value).rpartition(".")[2] != name)


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        for argument, default in zip(positional[-len(arguments.defaults) :], arguments.defaults, strict=True):
            yield argument.arg, default
    for argument, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            yield argument.arg, given


def _constant(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and node.value is not None and node.value is not Ellipsis:
        return str(node.value)
    return None

"""What a module's code does while it is imported: its calls and look-ups, and how sure each one is.

Pure, over syntax trees. Sureness is about control flow alone: a statement is sure when nothing before it in
the module can prevent it. Refuses to evaluate conditions, except those that hold by definition.
"""

import ast
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from understudy.verify.python import constants
from understudy.verify.python.constants import Scope, dotted

_DEPTH_MAX = 3
_EXISTENCE = frozenset({"exists", "is_dir", "is_file", "isdir", "isfile"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """One expression that an import evaluates.

    Attributes:
        node: the expression.
        sure: whether every import evaluates it.
        caught: names of exceptions that a ``try`` around it takes; ``*`` for all.
        tested: whether all that makes it unsure is a test for the existence of a file.
    """

    node: ast.expr
    sure: bool
    caught: frozenset[str] = frozenset()
    tested: bool = False

    def survives(self, *errors: str) -> bool:
        """Whether one of `errors`, raised here, would be caught."""
        return "*" in self.caught or not self.caught.isdisjoint(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    scope: Scope
    sure: bool = True
    caught: frozenset[str] = frozenset()
    tested: bool = False
    depth: int = 0
    functions: Mapping[str, ast.FunctionDef] = field(default_factory=dict)

    def unsure(self) -> "_Context":
        return dataclasses.replace(self, sure=False, tested=False)

    def existing(self) -> "_Context":
        return dataclasses.replace(self, sure=False, tested=self.sure or self.tested)


_Items = Iterator[Executed]


def executed(tree: ast.Module, scope: Scope) -> Iterator[Executed]:
    """Yields the expressions that importing `tree` evaluates, in order, nested ones after those around them.

    Functions of the module that it calls at module level are followed.
    """
    functions = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and not _generator(node)
    }
    return _block(tree.body, _Context(scope=scope, functions=functions))


def aliases(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """What the imported names of a module stand for: ``{"np": "numpy", "Path": "pathlib.Path"}``."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.split(".")[0]
                found[alias.asname or name] = name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def full_name(node: ast.AST, names: dict[str, str]) -> str:
    """The dotted name of `node` with imports undone: ``pathlib.Path`` for ``Path``."""
    name = dotted(node)
    head, dot, rest = name.partition(".")
    return f"{names.get(head, head)}{dot}{rest}" if name else ""


def constant(node: ast.AST | None) -> str:
    """The text of a string constant; empty for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _generator(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _block(body: Iterable[ast.stmt], context: _Context) -> _Items:
    for statement in body:
        yield from _statement(statement, context)
        if context.sure and _may_leave(statement):
            context = context.unsure()


def _may_leave(statement: ast.stmt) -> bool:
    """Whether what follows `statement` in its block may not be reached."""
    if isinstance(statement, _Function | ast.ClassDef):
        return False
    if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return dotted(statement.value.func) in ("sys.exit", "exit", "quit", "os._exit")
    return any(_may_leave(child) for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt))


def _statement(statement: ast.stmt, context: _Context) -> _Items:
    if isinstance(statement, _Function):
        defaults = [*statement.args.defaults, *(item for item in statement.args.kw_defaults if item)]
        yield from _expressions([*statement.decorator_list, *defaults], context)
    elif isinstance(statement, ast.ClassDef):
        yield from _expressions([*statement.decorator_list, *statement.bases], context)
        yield from _block(statement.body, context)
    elif isinstance(statement, ast.If):
        yield from _if(statement, context)
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield from _try(statement, context)
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield from _with(statement, context)
    elif isinstance(statement, ast.For | ast.AsyncFor | ast.While | ast.Match):
        yield from _branches(statement, context)
    elif not isinstance(statement, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal):
        parts = (node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr))
        yield from _expressions(parts, context)


def _tests_existence(node: ast.Call) -> bool:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else dotted(function)
    return name in _EXISTENCE


def _branches(statement: ast.For | ast.AsyncFor | ast.While | ast.Match, context: _Context) -> _Items:
    """Loops, which may have no round, and matches, of which at most one case runs."""
    if isinstance(statement, ast.Match):
        yield from _expressions([statement.subject], context)
        for case in statement.cases:
            yield from _block(case.body, context.unsure())
        return
    head = statement.test if isinstance(statement, ast.While) else statement.iter
    yield from _expressions([head], context)
    yield from _block([*statement.body, *statement.orelse], context.unsure())


def _if(statement: ast.If, context: _Context) -> _Items:
    value = constants.truth(statement.test, context.scope)
    if value is not None:
        yield from _block(statement.body if value else statement.orelse, context)
        return
    yield from _expressions([statement.test], context)
    exists = any(isinstance(node, ast.Call) and _tests_existence(node) for node in ast.walk(statement.test))
    inner = context.existing() if exists else context.unsure()
    yield from _block(statement.body, inner)
    yield from _block(statement.orelse, inner)


def _try(statement: ast.Try | ast.TryStar, context: _Context) -> _Items:
    caught = {name for handler in statement.handlers for name in _caught(handler)}
    inner = dataclasses.replace(context, caught=context.caught | caught)
    yield from _block(statement.body, inner)
    for handler in statement.handlers:
        yield from _block(handler.body, context.unsure())
    yield from _block(statement.orelse, context.unsure() if caught else context)
    yield from _block(statement.finalbody, context)


def _caught(handler: ast.ExceptHandler) -> Iterator[str]:
    """Names of the exceptions that a handler keeps to itself; one that raises again keeps none."""
    if handler.body and isinstance(handler.body[-1], ast.Raise):
        return
    if handler.type is None:
        yield "*"
        return
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    for kind in kinds:
        name = dotted(kind).rpartition(".")[2]
        yield "*" if name in ("Exception", "BaseException", "") else name


def _with(statement: ast.With | ast.AsyncWith, context: _Context) -> _Items:
    managers = [item.context_expr for item in statement.items]
    yield from _expressions(managers, context)
    suppressed: set[str] = set()
    for manager in managers:
        if isinstance(manager, ast.Call) and dotted(manager.func).endswith("suppress"):
            names = {dotted(argument).rpartition(".")[2] for argument in manager.args}
            suppressed |= {"*"} if names & {"Exception", "BaseException"} else names
    yield from _block(statement.body, dataclasses.replace(context, caught=context.caught | suppressed))


def _expressions(nodes: Iterable[ast.expr], context: _Context) -> _Items:
    for node in nodes:
        yield from _expression(node, context)


def _expression(node: ast.expr, context: _Context) -> _Items:
    yield Executed(node=node, sure=context.sure, caught=context.caught, tested=context.tested)
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.BoolOp):
        yield from _expression(node.values[0], context)
        yield from _expressions(node.values[1:], context.unsure())
        return
    if isinstance(node, ast.IfExp):
        yield from _expression(node.test, context)
        yield from _expressions([node.body, node.orelse], context.unsure())
        return
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        yield from _expression(node.generators[0].iter, context)
        inner = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        yield from _expressions(inner, context.unsure())
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _expression(child, context)
        elif isinstance(child, ast.keyword):
            yield from _expression(child.value, context)
    if isinstance(node, ast.Call):
        yield from _called(node, context)


def _called(node: ast.Call, context: _Context) -> _Items:
    """The body of a function of this module that is called while it is imported."""
    function = context.functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if function is None or context.depth >= _DEPTH_MAX:
        return
    yield from _block(function.body, dataclasses.replace(context, depth=context.depth + 1))

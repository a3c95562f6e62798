"""What a module imports, and how sure it is that the import happens and that its failure matters.

Pure, over a syntax tree. Conditions are decided only where they hold by definition; an import that is caught,
guarded by `find_spec` or for type checkers alone is marked so, never dropped. Nothing is executed.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from understudy.verify.python import constants, grammar, statements
from understudy.verify.python.constants import Scope, dotted
from understudy.verify.python.grammar import Invalid
from understudy.verify.python.importmodel import Context, Import, MetadataCall, ModuleFacts, Reach

_CALL_DEPTH_MAX = 3
_Function = ast.FunctionDef | ast.AsyncFunctionDef
# One leading underscore is taken off before.
_IMPORT_CALLS = frozenset({"importlib.import_module", "import_module", "_import__"})
_VERSION_CALLS = frozenset(
    {"version", "metadata", "distribution", "requires"}
    | {f"importlib.metadata.{name}" for name in ("version", "metadata", "distribution", "requires")}
    | {f"importlib_metadata.{name}" for name in ("version", "metadata", "distribution", "requires")}
    | {f"metadata.{name}" for name in ("version", "metadata", "distribution", "requires")}
)
_PATH_CALLS = frozenset({"sys.path.insert", "sys.path.append", "site.addsitedir"})
_HOOKS = frozenset({"meta_path", "path_hooks", "path_importer_cache"})  # of sys

_PLAIN = re.compile(
    r"^(?:from[ \t]+(?P<module>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n#;]*)"
    r"|import[ \t]+(?P<modules>[^\n#;]+))",
    re.MULTILINE,
)
_NAMES = re.compile(r"([A-Za-z_][\w.]*)(?:[ \t]+as[ \t]+(\w+))?")


def read(source: bytes, scope: Scope) -> ModuleFacts | Invalid | None:
    """Returns what a module's source imports, why it does not compile, or None when that cannot be judged."""
    tree = grammar.parse(source, scope.version)
    if isinstance(tree, grammar.Unknown):
        return None
    return tree if isinstance(tree, Invalid) else facts(tree, scope)


def quick(source: bytes) -> ModuleFacts:
    """Returns the imports that stand at the start of a line, which no condition and no function is around.

    A hundred times faster than `read`, and taken in by text in strings: good for following, not for judging.
    """
    found = ModuleFacts(is_quick=True, open_ended=True)
    text = source.decode("utf-8", "replace")
    for match in _PLAIN.finditer(text):
        if match["module"] is not None:
            names = tuple(_NAMES.findall(match["names"]))
            imported = Import(
                module=match["module"].lstrip("."),
                level=len(match["module"]) - len(match["module"].lstrip(".")),
                names=tuple(name for name, _ in names) or ("*",),
                line=0,
                context=Context(),
            )
            found.imports.append(imported)
            continue
        for name, _ in _NAMES.findall(match["modules"]):
            found.imports.append(Import(module=name, line=0, context=Context()))
    return found


def facts(tree: ast.Module, scope: Scope) -> ModuleFacts:
    """Returns what `tree` imports when it is imported from `scope`."""
    reader = _Reader(scope, tree)
    reader.block(tree.body, Context())
    reader.lazy(tree.body, "")
    return reader.facts


class _Reader:
    """Goes through a module in the order of execution."""

    def __init__(self, scope: Scope, tree: ast.Module) -> None:
        self.facts = ModuleFacts()
        self._scope = scope
        self._functions = {node.name: node for node in tree.body if isinstance(node, _Function)}
        self._calls: list[str] = []

    def block(self, body: Iterable[ast.stmt], context: Context) -> None:
        for statement in body:
            self._statement(statement, context)
            if self._may_leave(statement):
                context = context.no_surer_than(Reach.CONDITIONAL)

    def lazy(self, body: Iterable[ast.stmt], function: str) -> None:
        """Bodies of functions, which run when they are called, if they are."""
        for statement in body:
            if isinstance(statement, _Function):
                name = function or statement.name
                if statement.decorator_list:
                    self.facts.decorated.add(statement.name)
                self.block(statement.body, Context(reach=Reach.LAZY, function=statement.name or name))
                self.lazy(statement.body, name)
            elif isinstance(statement, ast.ClassDef):
                self.lazy(statement.body, "")
            elif not (isinstance(statement, ast.If) and self._truth(statement.test) is False):
                self.lazy(statements.inner(statement), function)

    def _truth(self, test: ast.expr) -> bool | None:
        return constants.truth(test, self._scope)

    def _may_leave(self, statement: ast.stmt) -> bool:
        """Whether what follows in the block may not be reached; handlers count for failures only."""
        if isinstance(statement, _Function | ast.ClassDef):
            return False
        if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return True
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return dotted(statement.value.func) in statements.LEAVES
        if isinstance(statement, ast.If):
            value = self._truth(statement.test)
            chosen = [*([] if value is False else statement.body), *([] if value else statement.orelse)]
            return any(self._may_leave(child) for child in chosen)
        return any(self._may_leave(child) for child in statements.inner(statement, handlers=False))

    def _statement(self, statement: ast.stmt, context: Context) -> None:
        match statement:
            case ast.Import() | ast.ImportFrom():
                self._import(statement, context)
            case ast.If():
                self._if(statement, context)
            case ast.Try() | ast.TryStar():
                self._try(statement, context)
            case ast.With() | ast.AsyncWith():
                self._with(statement, context)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._definition(statement, context)
            case ast.Global():
                self.facts.defines.update(statement.names)
            case _:
                self._bind(statement, context)
                self._expressions(statement, context)
                # Loops and match; other statements have none inside.
                self.block(statements.inner(statement), context.no_surer_than(Reach.CONDITIONAL))

    def _definition(self, statement: _Function | ast.ClassDef, context: Context) -> None:
        self._define(statement.name, context)
        for decorator in statement.decorator_list:
            self._expression(decorator, context)
            self._call(dotted(decorator), context)
        if isinstance(statement, ast.ClassDef):
            for expression in statement.bases:
                self._expression(expression, context)
            self._class(statement, context)
            return
        for default in (*statement.args.defaults, *statement.args.kw_defaults):
            if default is not None:
                self._expression(default, context)

    def _class(self, statement: ast.ClassDef, context: Context) -> None:
        """A class body is executed, but what it binds are no names of the module."""
        before = set(self.facts.defines)
        self.block(statement.body, context)
        self.facts.defines = before

    def _import(self, statement: ast.Import | ast.ImportFrom, context: Context) -> None:
        names = tuple(alias.name for alias in statement.names)
        for alias in statement.names:
            self._define(alias.asname or alias.name.split(".")[0], context)
        if isinstance(statement, ast.Import):
            for name in names:
                self._add(Import(module=name, line=statement.lineno, context=context))
            return
        if "*" in names and context.reach is not Reach.LAZY:
            self.facts.open_ended = True
        module, level = statement.module or "", statement.level
        self._add(Import(module=module, level=level, names=names, line=statement.lineno, context=context))

    def _add(self, found: Import) -> None:
        self.facts.imports.append(found)

    def _define(self, name: str, context: Context) -> None:
        if context.reach is not Reach.LAZY:
            self.facts.defines.add(name)
            if name in ("__getattr__", "__path__"):
                self.facts.open_ended = True

    def _bind(self, statement: ast.stmt, context: Context) -> None:
        """Values and patterns; names that expressions store are bound where these are read."""
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._assigned(target, statement.value, context)
        elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
            self._assigned(statement.target, statement.value, context)
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                for node in ast.walk(case.pattern):
                    if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                        self._define(node.name, context)

    def _assigned(self, target: ast.expr, value: ast.expr, context: Context) -> None:
        if isinstance(target, ast.Name) and context.reach is not Reach.LAZY:
            path = constants.path(value, self._scope)
            if path is None or target.id in self._scope.names:
                self._scope.names.pop(target.id, None)
            else:
                self._scope.names[target.id] = path
            return
        base = dotted(target.value if isinstance(target, ast.Subscript) else target)
        if base == "sys.modules" and isinstance(target, ast.Subscript):
            self.facts.registers.add(constants.text(target.slice) or "")
        elif base == "sys.path":
            self.facts.opaque_path = True

    def _if(self, statement: ast.If, context: Context) -> None:
        self._expressions(statement, context)
        value = self._truth(statement.test)
        if value is not None:
            self.block(statement.body if value else statement.orelse, context)
            return
        inner = context.no_surer_than(Reach.CONDITIONAL)
        if "find_spec" in ast.unparse(statement.test):
            inner = replace(inner, optional=True)
        self.block(statement.body, inner)
        self.block(statement.orelse, inner)

    def _try(self, statement: ast.Try | ast.TryStar, context: Context) -> None:
        caught = frozenset(name for handler in statement.handlers for name in statements.caught(handler))
        first = len(self.facts.imports)
        self.block(statement.body, replace(context, caught=context.caught | caught))
        tried = tuple(
            found.module for found in self.facts.imports[first:] if found.module and not found.level
        )
        for handler in statement.handlers:
            if tried:
                self.block(handler.body, replace(context, instead_of=(*context.instead_of, *tried)))
            else:
                self.block(handler.body, context.no_surer_than(Reach.CONDITIONAL))
        self.block(statement.orelse, replace(context, needs=(*context.needs, *tried)))
        self.block(statement.finalbody, context)

    def _with(self, statement: ast.With | ast.AsyncWith, context: Context) -> None:
        self._bind(statement, context)
        self._expressions(statement, context)
        caught: set[str] = set()
        for item in statement.items:
            manager = item.context_expr
            if isinstance(manager, ast.Call) and dotted(manager.func).rpartition(".")[2] == "suppress":
                caught.update(statements.exception(argument) for argument in manager.args)
        self.block(statement.body, replace(context, caught=context.caught | caught))

    def _expressions(self, statement: ast.stmt, context: Context) -> None:
        for node in statements.children(statement):
            if isinstance(node, ast.expr | ast.withitem):
                self._expression(node, context)

    def _expression(self, node: ast.AST, context: Context) -> None:
        kind = type(node)
        if kind is ast.Constant:
            return
        if kind is ast.Name:
            self._name(cast("ast.Name", node), context)
            return
        if kind is ast.Attribute:
            self._attribute(cast("ast.Attribute", node), context)
        elif kind is ast.Call:
            self._called(cast("ast.Call", node), context)
        elif kind is ast.Lambda:
            context = replace(context.no_surer_than(Reach.LAZY), function="<lambda>")
        elif isinstance(node, ast.BoolOp | ast.IfExp):
            self._parts(node, context)
            return
        for child in statements.children(node):
            self._expression(child, context)

    def _name(self, node: ast.Name, context: Context) -> None:
        if isinstance(node.ctx, ast.Load):
            self._load(node.id, context)
        elif isinstance(node.ctx, ast.Store):
            self._define(node.id, context)

    def _load(self, name: str, context: Context) -> None:
        if context.reach is not Reach.CONDITIONAL:
            self.facts.loads.add(name)

    def _attribute(self, node: ast.Attribute, context: Context) -> None:
        self._load(node.attr, context)
        if not isinstance(node.value, ast.Name):
            return
        name = node.value.id
        if context.reach is Reach.SURE and not context.caught:
            self.facts.uses.setdefault(name, set()).add(node.attr)
        if name == "sys":
            self.facts.opaque_path = self.facts.opaque_path or node.attr in _HOOKS
            self.facts.open_ended = self.facts.open_ended or node.attr == "modules"

    def _parts(self, node: ast.BoolOp | ast.IfExp, context: Context) -> None:
        first, *rest = node.values if isinstance(node, ast.BoolOp) else [node.test, node.body, node.orelse]
        self._expression(first, context)
        for child in rest:
            self._expression(child, context.no_surer_than(Reach.CONDITIONAL))

    def _called(self, node: ast.Call, context: Context) -> None:
        name = dotted(node.func).removeprefix("_")
        if name in ("path.insert", "path.append") and self._imports("path", "sys"):
            name = f"sys.{name}"
        first = constants.text(node.args[0]) if node.args else None
        if name in _IMPORT_CALLS and first and not first.startswith("."):
            self._add(Import(module=first, line=node.lineno, context=context))
        elif name in _VERSION_CALLS and first and len(node.args) == 1 and self._asks_metadata(name):
            self.facts.metadata.append(MetadataCall(distribution=first, line=node.lineno, context=context))
        elif name in _PATH_CALLS and node.args:
            self._added(node.args[-1])
        elif name.startswith("sys.path.") or name.endswith(".extend_path"):
            self.facts.opaque_path = True
        elif name in ("exec", "globals", "locals", "vars", "setattr") or name.startswith("globals."):
            self.facts.open_ended = True
        elif name == "sys.modules.setdefault" and first:
            self.facts.registers.add(first)
        elif name.startswith("sys.modules"):
            self.facts.registers.add("")
        self._call(name, context)

    def _asks_metadata(self, name: str) -> bool:
        """Whether a bare ``version(...)`` is the one of `importlib.metadata`."""
        if "." in name and not name.startswith("metadata."):
            return True
        sources = ("importlib.metadata", "importlib_metadata", "importlib")
        return self._imports(name.partition(".")[0], *sources)

    def _imports(self, name: str, *modules: str) -> bool:
        return any(found.module in modules and name in found.names for found in self.facts.imports)

    def _added(self, argument: ast.expr) -> None:
        place = constants.path(argument, self._scope)
        if place is None:
            self.facts.opaque_path = True
        else:
            self.facts.path_additions.append(place)

    def _call(self, name: str, context: Context) -> None:
        """The body of a function of this module that is called while the module is imported."""
        function = self._functions.get(name)
        if function is None or context.reach is Reach.LAZY or name in self._calls:
            return
        if len(self._calls) < _CALL_DEPTH_MAX:
            self._calls.append(name)
            before = set(self.facts.defines)
            self.block(function.body, context)
            self.facts.defines = before
            self._calls.pop()

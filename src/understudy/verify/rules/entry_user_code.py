"""The user's own modules that importing the handler executes, as rules look into them.

Which modules those are is known from `closure`; this adds what rules ask of their text. A tree is made only
for a module whose text has the words that a rule looks for.
"""

import ast
from functools import cached_property
from weakref import WeakKeyDictionary

from understudy.verify.model import Subject
from understudy.verify.python import analysis, grammar
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.constants import Scope
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.visits import Visit
from understudy.verify.rules import entry_code


class UserModule:
    """One module of the user's; what its tree shows is worked out when it is asked for.

    Attributes:
        name: dotted.
        path: of its source.
        source: its text.
        scope: what is known before its code is read.
        sure: whether every import of the handler executes it, and nothing catches what it raises.
        lazy: whether only a function imports it.
    """

    def __init__(self, visit: Visit, source: bytes, scope: Scope) -> None:
        """Takes in a module that the handler's import comes to."""
        self.name = visit.module.name
        self.path = visit.module.path
        self.source = source
        self.scope = scope
        self.sure = visit.reach is Reach.SURE and not visit.caught
        self.lazy = visit.reach is Reach.LAZY

    def has(self, *words: bytes) -> bool:
        """Whether the source has one of `words`: the quick answer before any look at the tree."""
        return any(word in self.source for word in words)

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree; an empty one where the image's Python or this one cannot read it."""
        tree = grammar.parse(self.source, self.scope.version)
        return tree if isinstance(tree, ast.Module) else ast.Module(body=[], type_ignores=[])

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def names(self) -> dict[str, str]:
        """What its imported names stand for, as `entry_code.aliases` says."""
        return entry_code.aliases(self.nodes)

    @cached_property
    def executed(self) -> tuple[entry_code.Executed, ...]:
        """The expressions that its import evaluates; none of a module too deeply nested to be followed."""
        try:
            return tuple(entry_code.executed(self.tree, self.scope))
        except RecursionError:
            return ()


_KNOWN: WeakKeyDictionary[Analysis, tuple[UserModule, ...]] = WeakKeyDictionary()


def modules(subject: Subject) -> tuple[UserModule, ...]:
    """The modules of the user's that importing the handler executes; three families of rules ask for them."""
    known = analysis.of(subject)
    if known is None:
        return ()
    if known not in _KNOWN:
        _KNOWN[known] = tuple(
            _module(known, visit)
            for path, visit in known.closure.visits.items()
            if path in known.closure.facts
        )
    return _KNOWN[known]


def _module(known: Analysis, visit: Visit) -> UserModule:
    launch = known.subject.launch
    scope = Scope(
        path=visit.module.path,
        version=known.python.version,
        working_dir=launch.working_dir or "/",
        environment=launch.environment,
        is_main=visit.module.path == known.python.entry_script,
    )
    return UserModule(visit, known.files.read(visit.module.path), scope)

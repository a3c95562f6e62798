"""Modules that an import reaches, as data: how they are reached, what they lack, and the way there.

Decides nothing; `closure` does the following.
"""

from dataclasses import dataclass, field

from understudy.verify.python.grammar import Invalid
from understudy.verify.python.importmodel import Import, ModuleFacts, Reach
from understudy.verify.python.modules import Finder, Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A module on the way from the entry to where something happens.

    Attributes:
        name: of the module.
        path: of its file.
        line: of the import that leads on; 0 at the end.
    """

    name: str
    path: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A module that is imported, and the best reason for it.

    Attributes:
        module: what was found.
        reach: how sure the import is.
        caught: exceptions that something on the way takes, ``*`` for all.
        function: the function that imports it when it is called.
        way: from the entry to the importer.
    """

    module: Module
    reach: Reach = Reach.SURE
    caught: frozenset[str] = frozenset()
    function: str = ""
    way: tuple[Step, ...] = ()

    def swallows(self, *errors: str) -> bool:
        """Whether one of `errors`, raised while it is imported, stays unnoticed."""
        return "*" in self.caught or not self.caught.isdisjoint(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An import that finds nothing.

    Attributes:
        importer: the module that has it.
        found: the import.
        name: the module that is missing, as Python names it; of a relative import what it comes to.
        error: what Python says.
        kind: what is missing.
        reach: how sure it is that it is tried.
        swallowed: whether the failure stays unnoticed.
    """

    importer: Visit
    found: Import
    name: str
    error: str
    kind: str
    reach: Reach
    swallowed: bool

    @property
    def way(self) -> tuple[Step, ...]:
        """From the entry to the import."""
        module = self.importer.module
        return (*self.importer.way, Step(name=module.name, path=module.path, line=self.found.line))


@dataclass(slots=True, kw_only=True)
class Closure:
    """What was found.

    Attributes:
        finder: over the search path with what the modules add to it.
        visits: by path of the file.
        facts: of those that were read.
        invalid: files that the image's Python refuses to compile.
        failures: imports that find nothing.
        opaque: file that changes the search path in a way that cannot be followed; empty when none does.
        registered: modules that code puts into `sys.modules`; an empty name stands for any.
        complete: False when the budget was used up.
    """

    finder: Finder
    visits: dict[str, Visit] = field(default_factory=dict)
    facts: dict[str, ModuleFacts] = field(default_factory=dict)
    invalid: dict[str, Invalid] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    opaque: str = ""
    registered: set[str] = field(default_factory=set)
    complete: bool = True

"""Imports of a module as data.

Says what is imported, where, how sure it is that it happens, and whether its failure would be noticed.
Decides nothing: the reading is in `imports`, the following in `closure`.
"""

import enum
from dataclasses import dataclass, field, replace


class Reach(enum.IntEnum):
    """Whether importing a module gets to a statement; the larger, the less sure."""

    SURE = 0
    LAZY = 1
    CONDITIONAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a statement stands.

    Attributes:
        reach: whether it is executed at import.
        caught: exceptions that something around it takes, ``*`` for all.
        optional: whether a test for the module's existence is around it.
        function: the outermost function it is in, for `Reach.LAZY`.
        needs: modules whose absence keeps it from being executed.
        instead_of: modules of which one must be absent for it to be executed.
    """

    reach: Reach = Reach.SURE
    caught: frozenset[str] = frozenset()
    optional: bool = False
    function: str = ""
    needs: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()

    def no_surer_than(self, reach: Reach) -> "Context":
        """The same place, at most as sure as `reach`."""
        return replace(self, reach=max(self.reach, reach))

    def swallows(self, *errors: str) -> bool:
        """Whether one of `errors`, raised here, is kept from the importer."""
        return self.optional or "*" in self.caught or not self.caught.isdisjoint(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import.

    Attributes:
        module: dotted name as written, without leading dots.
        level: number of leading dots.
        names: of ``from ... import``; empty for plain imports.
        line: where.
        context: how sure it is.
    """

    module: str
    line: int
    context: Context
    level: int = 0
    names: tuple[str, ...] = ()

    @property
    def is_star(self) -> bool:
        """Whether it takes everything."""
        return "*" in self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataCall:
    """A question for a distribution's metadata, which raises when there is none."""

    distribution: str
    line: int
    context: Context


@dataclass(slots=True, kw_only=True)
class ModuleFacts:
    """What a module's code says about imports.

    Attributes:
        imports: in the order of the text.
        metadata: questions for distributions.
        path_additions: directories that it puts on `sys.path`.
        registers: names it puts into `sys.modules`.
        opaque_path: whether it changes the search path in a way that cannot be followed.
        defines: names bound at module level, conditionally or not.
        open_ended: whether it may have other names too (star imports, ``__getattr__``, `globals`).
        loads: names and attributes that its code reads, under no condition.
        decorated: functions that something else is told about.
        is_quick: whether only its plainest imports were looked for; what it fails to import says nothing.
        uses: attributes that importing it surely reads from a name, ``{"http": {"HTTPStatus"}}``.
    """

    imports: list[Import] = field(default_factory=list)
    metadata: list[MetadataCall] = field(default_factory=list)
    path_additions: list[str] = field(default_factory=list)
    registers: set[str] = field(default_factory=set)
    opaque_path: bool = False
    defines: set[str] = field(default_factory=set)
    open_ended: bool = False
    loads: set[str] = field(default_factory=set)
    decorated: set[str] = field(default_factory=set)
    is_quick: bool = False
    uses: dict[str, set[str]] = field(default_factory=dict)

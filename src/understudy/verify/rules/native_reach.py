"""Whether the handler's imports come to a given extension module, and how.

Follows the user's code and the packages that, by their Requires-Dist, may come to the module; other packages
have no business with it, or guard it. A way is sure only when every import on it is executed at import and
nothing on it takes an ImportError. Reads source only when there is something to ask about.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from understudy.verify.python import distributions
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.closure import Follow
from understudy.verify.python.importmodel import Import, Reach
from understudy.verify.python.modules import Finder, Module
from understudy.verify.python.visits import Closure, Visit
from understudy.verify.rules import native_guards, native_sketch
from understudy.verify.rules.native_sketch import Goal

_SLACKS = (0, 2)
"""How much longer than the shortest a way may be: a shorter one may be guarded where another is not."""

_READ_MAX = 40
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Certainty(Enum):
    """Whether an init imports a module."""

    SURE = "sure"
    POSSIBLE = "possible"
    GUARDED = "guarded"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How the handler comes to a module.

    Attributes:
        certainty: of the whole way.
        way: names of the modules on it, the handler's first; empty when none is seen.
        error: what Python says when the module is not there.
    """

    certainty: Certainty
    way: tuple[str, ...]
    error: str

    @property
    def text(self) -> str:
        """``; handler imports fastapi imports pydantic`` for the end of a message; empty without a way."""
        if not self.way:
            return "; its package can do without it" if self.certainty is Certainty.GUARDED else ""
        shown = self.way if len(self.way) <= 6 else (*self.way[:3], "...", *self.way[-2:])
        sure = "" if self.certainty is Certainty.SURE else f" ({self.certainty.value})"
        return f"; {' imports '.join(shown)} imports it{sure}"


class _Pretending(Finder):
    """Finds modules that are not there, so that imports of them can be followed."""

    def __init__(self, analysis: Analysis, absent: Mapping[str, str]) -> None:
        python = analysis.python
        super().__init__(analysis.files, python.search_path, python.extension_suffixes, python.stdlib)
        self._analysis = analysis
        self._absent = absent

    def with_path(self, search_path: Iterable[str]) -> Finder:
        other = _Pretending(self._analysis, self._absent)
        other.search_path = tuple(search_path)
        return other

    def find(self, name: str) -> Module | None:
        path = self._absent.get(name)
        if path is None or path.endswith(".py"):
            return super().find(name)
        return Module(name=name, kind="extension", path=path)


def routes(analysis: Analysis, broken: Mapping[str, str]) -> dict[str, Route]:
    """Returns how the handler comes to each of some modules.

    Args:
        analysis: of the image.
        broken: module -> path of its file, whether that is there or not.
    """
    optional = {
        module: Route(certainty=Certainty.GUARDED, way=(), error=f"No module named '{module}'")
        for module, path in broken.items()
        if native_guards.is_optional(analysis, module, path)
    }
    others = {
        module: _stand_in(analysis, module, path) for module, path in broken.items() if module not in optional
    }
    return {**optional, **(_followed(analysis, others) if others else {})}


def _stand_in(analysis: Analysis, module: str, path: str) -> str:
    """The file whose import is the import of `module`.

    A package may hold a module of its own name and import it through a search path of its own: ``cv2`` does.
    """
    package, _, last = module.rpartition(".")
    init = f"{path.rpartition('/')[0]}/__init__.py"
    if package.rpartition(".")[2] != last or analysis.files.resolve(init) is None:
        return path
    return init if b"import_module" in analysis.files.read(init) else path


def _followed(analysis: Analysis, broken: Mapping[str, str]) -> dict[str, Route]:
    """The routes of modules that their package cannot do without, along the handler's imports."""
    wanted = _requiring(analysis, broken)
    other = Analysis(analysis.subject, analysis.python)
    other.finder = _Pretending(analysis, broken)
    other.distributions = analysis.distributions

    def may_lead(module: Module) -> bool:
        if analysis.is_own(module):
            return True
        owner = analysis.owner(module.path)
        return not analysis.is_library(module.path) if owner is None else owner.key in wanted

    goal = Goal(targets=frozenset(broken.values()), slack=_SLACKS[-1], follow=may_lead)
    sketch = native_sketch.draw(analysis.files, other.finder, _entries(other), goal)
    found: dict[str, Route] = {}
    for slack in _SLACKS:
        left = {module: path for module, path in broken.items() if not _is_sure(found.get(module))}
        leading = sketch.toward(left.values(), slack=slack, limit=_READ_MAX)
        if not left or (slack and not leading):
            break
        closure = other.walk(_within(leading))
        found |= {
            module: _route(closure, module, path, seen=analysis.entry is None or path in sketch.depth)
            for module, path in left.items()
        }
    return found


def _within(paths: frozenset[str]) -> Follow:
    return lambda module: module.path in paths


def _entries(analysis: Analysis) -> list[Module]:
    """What the runtime imports: the handler's module and the packages around it."""
    if analysis.entry is None:
        return []
    names = [] if analysis.python.entry_script else analysis.entry.name.split(".")
    around = (analysis.finder.find(".".join(names[:length])) for length in range(1, len(names)))
    return [module for module in (*around, analysis.entry) if module is not None]


def _is_sure(route: Route | None) -> bool:
    return route is not None and route.certainty is Certainty.SURE


def _requiring(analysis: Analysis, broken: Mapping[str, str]) -> frozenset[str]:
    """Keys of the distributions that have a file of `broken`, and of all that may need those."""
    found = set()
    for module, path in broken.items():
        owner = analysis.owner(path)
        name = distributions.distribution_of(module.partition(".")[0])
        found.add(distributions.canonical(name) if owner is None else owner.key)
    needs = {
        item.key: {
            distributions.canonical(match[0])
            for line in item.requires
            if (match := _REQUIREMENT.match(line)) is not None
        }
        for item in analysis.distributions
    }
    while grown := {key for key, names in needs.items() if key not in found and names & found}:
        found |= grown
    return frozenset(found)


def _route(closure: Closure, module: str, path: str, *, seen: bool) -> Route:
    visit = closure.visits.get(path)
    absent = f"No module named '{module}'"
    if visit is None:
        return Route(certainty=Certainty.POSSIBLE if seen else Certainty.UNSEEN, way=(), error=absent)
    way = tuple(step.name for step in visit.way)
    return Route(certainty=_certainty(visit), way=way, error=_by_name(closure, visit, module) or absent)


def _certainty(visit: Visit) -> Certainty:
    # A missing module raises ModuleNotFoundError, which is an ImportError: either guard will do.
    if visit.swallows("ImportError", "ModuleNotFoundError"):
        return Certainty.GUARDED
    return Certainty.SURE if visit.reach is Reach.SURE else Certainty.POSSIBLE


def _by_name(closure: Closure, visit: Visit, module: str) -> str:
    """What Python says when ``from package import module`` finds nothing; empty for other imports."""
    package, _, name = module.rpartition(".")
    last = visit.way[-1] if visit.way else None
    facts = closure.facts.get(last.path) if last is not None else None
    above = closure.finder.find(package) if package else None
    if last is None or facts is None or above is None:
        return ""
    found = next((item for item in facts.imports if item.line == last.line), None)
    if found is None or name not in found.names or _takes_from(found, name):
        return ""
    if above.path in {step.path for step in visit.way}:
        reason = f"(most likely due to a circular import) ({above.path})"
        return f"cannot import name '{name}' from partially initialized module '{package}' {reason}"
    return f"cannot import name '{name}' from '{package}' ({above.path})"


def _takes_from(found: Import, name: str) -> bool:
    """Whether the module itself stands before ``import``, as in ``from ._speedups import escape``."""
    return found.module.rpartition(".")[2] == name

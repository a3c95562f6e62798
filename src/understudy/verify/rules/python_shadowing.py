"""Modules of the user's that stand before others of the same name on `sys.path`.

A name of the standard library or of an installed package in the task root is no fault by itself: it is one
when somebody else imports it and needs what the original has. Modules that Python or AWS's runtime has loaded
before the task root is on the path cannot be replaced; the user's file is then never imported.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Import, ModuleFacts, Reach
from understudy.verify.python.visits import Closure, Visit

_RUNTIME = "/var/runtime"
_CLIENT = "/awslambdaric/"
# Nobody imports them by accident.
_HARMLESS = frozenset(
    {
        "__hello__",
        "__phello__",
        "antigravity",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "test",
        "this",
    }
    | {"turtle", "turtledemo", "venv"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A module of the user's and what it hides.

    Attributes:
        name: of both.
        path: of the user's.
        original: what is hidden, in words.
        package: whether it is an installed package, not a module of the standard library.
        loaded: whether the original is loaded before the user's could be.
    """

    name: str
    path: str
    original: str
    package: bool = False
    loaded: bool = False


def shadow(analysis: Analysis, name: str) -> Shadow | None:
    """Returns what a top-level module of the user's hides, None when it hides nothing."""
    module = analysis.first_finder.find(name)
    if module is None or not module.path or not analysis.is_own(module):
        return None
    folder = posixpath.dirname(module.path)
    folder = posixpath.dirname(folder) if module.kind == "package" else folder
    later = _after(analysis.python.search_path, folder)
    standard = analysis.python.stdlib in later and _has(analysis, analysis.python.stdlib, name)
    if standard and name not in _HARMLESS:
        original = f"{name} of the standard library"
        return Shadow(name=name, path=module.path, original=original, loaded=name in analysis.loaded)
    for place in later:
        owner = analysis.owners.get(posixpath.join(place, name))
        if owner is not None and not owner.local and _has(analysis, place, name):
            original = f"{name} of {owner.name} {owner.version}"
            return Shadow(name=name, path=module.path, original=original, package=True)
    return None


def shadows(analysis: Analysis) -> Iterator[Shadow]:
    """Yields the modules of the user's that hide others."""
    seen: set[str] = set()
    for folder in analysis.python.search_path:
        if folder == analysis.python.stdlib:
            break
        if folder.startswith(_RUNTIME) or "site-packages" in folder or "dist-packages" in folder:
            continue
        for written in sorted(analysis.finder.names(folder)):
            name = written.removesuffix(".py")
            if not name.isidentifier() or name in seen:
                continue
            seen.add(name)
            found = shadow(analysis, name)
            if found is not None:
                yield found


def _after(search_path: tuple[str, ...], folder: str) -> tuple[str, ...]:
    return search_path[search_path.index(folder) + 1 :] if folder in search_path else ()


def _has(analysis: Analysis, folder: str, name: str) -> bool:
    names = analysis.finder.names(folder)
    inside = analysis.finder.names(f"{folder}/{name}") if name in names else frozenset[str]()
    return f"{name}.py" in names or "__init__.py" in inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """A module of others that imports a module of the user's in place of the original.

    Attributes:
        path: of its file.
        line: of the import.
        error: what Python says; empty when the import itself succeeds.
        reach: how sure it is that it happens at init.
        import_error: whether the error is an ImportError.
    """

    path: str
    line: int
    reach: Reach
    error: str = ""
    import_error: bool = True


def import_of(names: Iterable[str]) -> re.Pattern[bytes]:
    """Returns a pattern for the lines of source that import one of `names`, and for few others."""
    any_name = "|".join(re.escape(name) for name in names)
    text = rf"(?m)^[ \t]*(?:from[ \t]+(?:{any_name})\b|import[ \t][^\n#]*\b(?:{any_name})\b)"
    return re.compile(text.encode())


def victims(analysis: Analysis, names: frozenset[str]) -> dict[str, list[Victim]]:
    """Returns by name those who import `names` from the user's files without meaning to, the worst first.

    Only what is surely imported at init counts, and the runtime client, which imports some when it reports.
    """
    client = analysis.finder.find("awslambdaric.__main__")
    mentions = import_of(names)
    closure = analysis.walk_all(
        lambda _, source: mentions.search(source) is not None, *([client] if client is not None else [])
    )
    found: dict[str, list[Victim]] = {name: [] for name in names}
    for failure in closure.failures:
        top = failure.name.partition(".")[0]
        if top in names and not failure.swallowed and not analysis.is_own(failure.importer.module):
            victim = Victim(
                path=failure.importer.module.path,
                line=failure.found.line,
                error=failure.error,
                reach=failure.reach,
            )
            found[top].append(victim)
    for path, facts in closure.facts.items():
        visit = closure.visits[path]
        if not facts.is_quick and not analysis.is_own(visit.module):
            for item in facts.imports:
                top = item.module.partition(".")[0]
                if top in names and not item.level and not item.context.swallows("ImportError"):
                    found[top].append(_importer(closure, visit, item, facts))
    return {name: _sorted(listed) for name, listed in found.items()}


def _importer(closure: Closure, visit: Visit, item: Import, facts: ModuleFacts) -> Victim:
    """Somebody who imports the user's module, and what is missing when it does no more than that."""
    top = item.module.partition(".")[0]
    module = closure.finder.find(top)
    own = closure.facts.get(module.path) if module is not None else None
    lacking: list[str] = []
    if own is not None and not own.open_ended and not item.names and "." not in item.module:
        lacking = sorted(facts.uses.get(top, set()) - own.defines)
    return Victim(
        path=visit.module.path,
        line=item.line,
        reach=max(visit.reach, item.context.reach),
        error=f"module '{top}' has no attribute '{lacking[0]}'" if lacking else "",
        import_error=False,
    )


def _sorted(listed: list[Victim]) -> list[Victim]:
    counted = [victim for victim in listed if victim.reach is Reach.SURE or _CLIENT in victim.path]
    return sorted(counted, key=lambda victim: (not victim.error, victim.reach, victim.path, victim.line))

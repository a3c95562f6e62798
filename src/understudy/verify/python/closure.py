"""What importing a module imports in turn, read off the files, without running any of them.

Breadth first, the surest way to each module first, so that what is said of a module holds for the best reason
to import it. Changes that modules make to `sys.path` by constant expressions are followed. Refuses to go on
for ever: beyond its budget the answer is incomplete and says so.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from understudy.verify.model import Files
from understudy.verify.python import constants, imports
from understudy.verify.python.grammar import Invalid
from understudy.verify.python.importmodel import Import, ModuleFacts
from understudy.verify.python.modules import Finder, Module
from understudy.verify.python.visits import Closure, Failure, Step, Visit

FILES_MAX = 600
"""Modules that are read when nothing else is said."""

_FILE_BYTES_MAX = 2 << 20
_PATH_ROUNDS_MAX = 4
_MADE_AT_RUN_TIME = ("/tmp", "/mnt", "/dev", "/proc")  # noqa: S108 - where Lambda lets code write
_NO_PARENT = "attempted relative import with no known parent package"
_BEYOND = "attempted relative import beyond top-level package"


Follow = Callable[[Module], bool]
"""Whether the code of a module is read."""

Thorough = Callable[[Module, bytes], bool]
"""Whether a module's source deserves more than a glance."""


class Walker:
    """Follows imports through the modules of an image."""

    def __init__(
        self,
        files: Files,
        finder: Finder,
        scope: constants.Scope,
        follow: Follow,
        *,
        thorough: Thorough | None = None,
        budget: int = FILES_MAX,
    ) -> None:
        """Follows what `follow` accepts.

        Args:
            files: of the image.
            finder: over the search path.
            scope: version, working directory and environment; its path is not used.
            follow: which modules to read.
            thorough: which of them to read with care; all when left out.
            budget: how many to read at most.
        """
        self._files = files
        self._finder = finder
        self._scope = scope
        self._follow = follow
        self._thorough = thorough
        self._budget = budget
        self._read: dict[str, ModuleFacts | Invalid | None] = {}

    def walk(self, entries: Iterable[Module], *, main: str = "") -> Closure:
        """Returns what importing `entries` imports.

        Args:
            entries: what is imported from outside.
            main: path of the entry that is run as a script.
        """
        roots = tuple(entries)
        for _ in range(_PATH_ROUNDS_MAX):
            closure = self._round(roots, main)
            additions = self._additions(closure)
            if not additions:
                break
            self._finder = self._finder.with_path((*self._finder.search_path, *dict.fromkeys(additions)))
        return closure

    def _additions(self, closure: Closure) -> list[str]:
        """Directories that the code puts on the path; one that only a running function has is opaque."""
        found: list[str] = []
        for path, facts in closure.facts.items():
            for place in facts.path_additions:
                if place.startswith(_MADE_AT_RUN_TIME):
                    closure.opaque = closure.opaque or path
                elif place not in self._finder.search_path and self._files.resolve(place) is not None:
                    found.append(place)
        return found

    def _round(self, roots: tuple[Module, ...], main: str) -> Closure:
        closure = Closure(finder=self._finder)
        waiting: dict[str, Visit] = {}
        for module in roots:
            _offer(closure, waiting, Visit(module=module))
        while waiting:
            best = min((visit.reach, bool(visit.caught)) for visit in waiting.values())
            wave = [visit for visit in waiting.values() if (visit.reach, bool(visit.caught)) == best]
            for visit in wave:
                del waiting[visit.module.path]
                closure.visits[visit.module.path] = visit
            unread = [visit.module for visit in wave if visit.module.path not in self._read]
            self._files.prefetch(module.path for module in unread if self._is_read(module))
            for visit in wave:
                for found in self._visited(closure, visit, main):
                    _offer(closure, waiting, found)
        self._check_names(closure)
        return closure

    def _is_read(self, module: Module) -> bool:
        return module.path.endswith(".py") and self._follow(module)

    def _visited(self, closure: Closure, visit: Visit, main: str) -> Iterator[Visit]:
        module = visit.module
        if not self._is_read(module):
            return
        if len(closure.facts) >= self._budget:
            closure.complete = False
            return
        read = self._facts(module, is_main=module.path == main)
        if isinstance(read, Invalid):
            closure.invalid[module.path] = read
        if not isinstance(read, ModuleFacts):
            return
        closure.facts[module.path] = read
        closure.registered |= read.registers
        if read.opaque_path and not closure.opaque:
            closure.opaque = module.path
        failures = list(closure.failures)
        for found in read.imports:
            if self._happens(found):
                yield from self._imported(closure, visit, found)
        if read.is_quick:
            closure.failures = failures

    def _facts(self, module: Module, *, is_main: bool) -> ModuleFacts | Invalid | None:
        if module.path not in self._read:
            node = self._files.resolve(module.path)
            if node is None or node.size_bytes > _FILE_BYTES_MAX:
                self._read[module.path] = None
            else:
                self._read[module.path] = self._parsed(module, is_main=is_main)
        return self._read[module.path]

    def _parsed(self, module: Module, *, is_main: bool) -> ModuleFacts | Invalid | None:
        source = self._files.read(module.path)
        if self._thorough is not None and not self._thorough(module, source):
            return imports.quick(source)
        return imports.read(source, replace(self._scope, path=module.path, is_main=is_main, names={}))

    def _happens(self, found: Import) -> bool:
        """Whether the ``try`` that the import belongs to comes to it."""
        context = found.context
        if any(self._finder.missing_part(name) for name in context.needs):
            return False
        return not context.instead_of or any(self._finder.missing_part(name) for name in context.instead_of)

    def _imported(self, closure: Closure, importer: Visit, found: Import) -> Iterator[Visit]:
        name = self._absolute(closure, importer, found)
        if not name:
            return
        missing = self._finder.missing_part(name)
        if missing:
            parent = self._finder.find(missing.rpartition(".")[0]) if "." in missing else None
            if parent is None or not self._finder.makes_modules(parent):
                error = f"No module named '{missing}'"
                if parent is not None and not parent.is_package:
                    error += f"; '{parent.name}' is not a package"
                closure.failures.append(_failure(importer, found, missing, error, "module"))
            name = missing.rpartition(".")[0]
        for part in _parts(name):
            module = self._finder.find(part)
            if module is not None:
                yield _visit(importer, found, module)
        if not missing:
            for item in found.names:
                module = self._finder.find(f"{name}.{item}") if item != "*" else None
                if module is not None:
                    yield _visit(importer, found, module)

    def _absolute(self, closure: Closure, importer: Visit, found: Import) -> str:
        """The absolute name of what is imported; empty when a relative import has nothing to start from."""
        if not found.level:
            return found.module
        package = package_of(importer.module)
        parts = package.split(".") if package else []
        if not parts or found.level > len(parts):
            error = _BEYOND if parts else _NO_PARENT
            closure.failures.append(_failure(importer, found, found.module, error, "relative"))
            return ""
        base = ".".join(parts[: len(parts) - found.level + 1])
        return f"{base}.{found.module}" if found.module else base

    def _check_names(self, closure: Closure) -> None:
        """``from module import name`` where the module is read and has no such name."""
        for path, facts in closure.facts.items():
            importer = closure.visits[path]
            for found in () if facts.is_quick else facts.imports:
                if found.names and not found.is_star and self._happens(found):
                    closure.failures.extend(self._unknown_names(closure, importer, found))

    def _unknown_names(self, closure: Closure, importer: Visit, found: Import) -> Iterator[Failure]:
        name = found.module
        if found.level:
            parts = package_of(importer.module).split(".")
            name = ".".join(filter(None, [*parts[: len(parts) - found.level + 1], found.module]))
        module = self._finder.find(name)
        if module is None or (module.kind != "namespace" and module.path not in closure.facts):
            return
        facts = closure.facts.get(module.path)
        if facts is not None and facts.open_ended:
            return
        place = module.path if facts is not None else "unknown location"
        for item in found.names:
            if facts is not None and (item in facts.defines or item in _ATTRIBUTES):
                continue
            if self._finder.find(f"{name}.{item}") is None and not _imports_below(closure, f"{name}.{item}"):
                error = f"cannot import name '{item}' from '{name}' ({place})"
                yield _failure(importer, found, f"{name}.{item}", error, "name")


_ATTRIBUTES = frozenset(
    {"__name__", "__file__", "__doc__", "__path__", "__package__", "__spec__", "__loader__"}
)


def package_of(module: Module) -> str:
    """Returns ``__package__`` of a module."""
    if module.kind in ("package", "namespace"):
        return module.name
    return module.name.rpartition(".")[0]


def _parts(name: str) -> Iterator[str]:
    parts = name.split(".") if name else []
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])


def _imports_below(closure: Closure, name: str) -> bool:
    """Whether something registers a module under that name."""
    return not closure.registered.isdisjoint({name, ""})


def _visit(importer: Visit, found: Import, module: Module) -> Visit:
    step = Step(name=importer.module.name, path=importer.module.path, line=found.line)
    context = found.context
    return Visit(
        module=module,
        reach=max(importer.reach, context.reach),
        caught=importer.caught | context.caught | ({"ImportError"} if context.optional else frozenset()),
        function=importer.function or context.function,
        way=(*importer.way, step),
    )


def _failure(importer: Visit, found: Import, name: str, error: str, kind: str) -> Failure:
    errors = ("ImportError",) if kind != "module" else ("ImportError", "ModuleNotFoundError")
    return Failure(
        importer=importer,
        found=found,
        name=name,
        error=error,
        kind=kind,
        reach=max(importer.reach, found.context.reach),
        swallowed=found.context.swallows(*errors) or importer.swallows(*errors),
    )


def _offer(closure: Closure, waiting: dict[str, Visit], visit: Visit) -> None:
    path = visit.module.path
    if not path or path in closure.visits:
        return
    known = waiting.get(path)
    if known is None or (visit.reach, bool(visit.caught)) < (known.reach, bool(known.caught)):
        waiting[path] = visit

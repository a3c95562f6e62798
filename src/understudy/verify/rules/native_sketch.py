"""A rough map of who imports whom, drawn from the text of modules, to spare the exact reading most of them.

Holds every import that a module's text may contain, however guarded, and some that it does not: what the map
does not show does not happen, what it shows must be read exactly. Cheap where parsing all modules on the way
to an extension module would take seconds.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from understudy.verify.model import Files
from understudy.verify.python.closure import package_of
from understudy.verify.python.modules import Finder, Module

_IMPORT = re.compile(
    rb"""
    (?:^|[;:]) [ \t]*
    (?: from [ \t]+ (?P<base>\.*[ \t]*[\w.]*) [ \t]+ import \b [ \t]*
        (?P<names> \([^)]*\) | [^\n;]*(?:\\\n[^\n]*)* )
      | import [ \t]+ (?P<modules>[^\n;]*(?:\\\n[^\n]*)*)
    )
    | import_module\( \s* ['"] (?P<called>[\w.]+)
    """,
    re.MULTILINE | re.VERBOSE,
)
_WORD = re.compile(rb"[A-Za-z_]\w*")
_DOTTED = re.compile(rb"(?:^|,)\s*([A-Za-z_][\w.]*)")
_FILES_MAX = 3000
_DEPTH_MAX = 12
_FILE_BYTES_MAX = 1 << 20


@dataclass(slots=True, kw_only=True)
class Sketch:
    """Modules by path, and the paths they may import.

    Attributes:
        edges: importer -> what it may import.
        depth: fewest imports from the entry.
    """

    edges: dict[str, frozenset[str]] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)

    def toward(self, targets: Iterable[str], *, slack: int, limit: int) -> frozenset[str]:
        """Returns the modules on the ways to `targets` that are at most `slack` longer than the shortest.

        Args:
            targets: paths.
            slack: imports more than the shortest way has.
            limit: number of modules; those on shorter ways win.
        """
        importers: dict[str, list[str]] = {}
        for importer, found in self.edges.items():
            for path in found:
                importers.setdefault(path, []).append(importer)
        chosen: dict[str, int] = {}
        for target in targets:
            left = _distances(target, importers)
            shortest = self.depth.get(target)
            if shortest is None:
                continue
            for path, distance in left.items():
                detour = self.depth[path] + distance - shortest
                if detour <= slack:
                    chosen[path] = min(detour, chosen.get(path, detour))
        return frozenset(sorted(chosen, key=lambda path: (chosen[path], self.depth[path]))[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a sketch is for.

    Attributes:
        targets: paths of the modules asked about.
        slack: how much longer than the shortest a way may be.
        follow: whose text is looked at.
    """

    targets: frozenset[str]
    slack: int
    follow: Callable[[Module], bool]

    def is_reached(self, depths: Mapping[str, int], depth: int) -> bool:
        """Whether all ways that matter are drawn when the modules `depth` imports away are known."""
        last = max((depths.get(target, _DEPTH_MAX) for target in self.targets), default=0)
        return depth > min(last + self.slack, _DEPTH_MAX)


def draw(files: Files, finder: Finder, entries: Iterable[Module], goal: Goal) -> Sketch:
    """Returns the map of what `entries` may import, as far as `goal` needs it."""
    sketch = Sketch()
    wave = {module.path: module for module in entries}
    depth = 0
    while wave and len(sketch.depth) < _FILES_MAX and not goal.is_reached(sketch.depth, depth):
        sketch.depth.update(dict.fromkeys(wave, depth))
        read = [module for module in wave.values() if module.path.endswith(".py") and goal.follow(module)]
        files.prefetch(module.path for module in read)
        after: dict[str, Module] = {}
        for module in read:
            found = {item.path: item for item in _imported(files, finder, module) if item.path}
            sketch.edges[module.path] = frozenset(found)
            after |= {path: item for path, item in found.items() if path not in sketch.depth}
        wave, depth = after, depth + 1
    return sketch


def _distances(target: str, importers: Mapping[str, list[str]]) -> dict[str, int]:
    """Fewest imports from each module to `target`."""
    left = {target: 0}
    wave = [target]
    while wave:
        after = []
        for path in wave:
            for importer in importers.get(path, ()):
                if importer not in left:
                    left[importer] = left[path] + 1
                    after.append(importer)
        wave = after
    return left


def _imported(files: Files, finder: Finder, module: Module) -> Iterator[Module]:
    node = files.resolve(module.path)
    if node is None or node.size_bytes > _FILE_BYTES_MAX:
        return
    for name in set(_names(files.read(module.path), package_of(module))):
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            found = finder.find(".".join(parts[:length]))
            if found is None:
                break
            yield found


def _names(source: bytes, package: str) -> Iterator[str]:
    """Dotted names that the text may import, absolute."""
    for match in _IMPORT.finditer(source):
        if match["called"]:
            yield match["called"].decode()
        elif match["modules"] is not None:
            yield from (name.decode().rstrip(".") for name in _DOTTED.findall(match["modules"]))
        else:
            base = _absolute(match["base"].replace(b" ", b"").decode(), package)
            if base:
                yield base
                yield from (f"{base}.{name.decode()}" for name in _WORD.findall(match["names"]))


def _absolute(written: str, package: str) -> str:
    name = written.lstrip(".")
    level = len(written) - len(name)
    if not level:
        return name
    parts = package.split(".") if package else []
    base = parts[: len(parts) - level + 1] if level <= len(parts) else []
    return ".".join([*base, name] if name else base) if base else ""

"""Whether a package treats an extension module of its own as optional, seen from the modules beside it.

The cheap question before the dear one: accelerators (PyYAML, msgpack, MarkupSafe, SQLAlchemy, aiohttp, numba
and many more) are imported under ``try``, most often by a neighbour, and their absence breaks nothing.
"""

from collections.abc import Iterator

from understudy.verify.python import constants, grammar, imports
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Context, Import

_NEIGHBOURS_MAX = 80
_BYTES_MAX = 512 << 10


def is_optional(analysis: Analysis, module: str, path: str) -> bool:
    """Whether modules beside the file at `path` import it, and all of them can do without it."""
    contexts = list(_contexts(analysis, module, path))
    return bool(contexts) and all(
        context.swallows("ImportError", "ModuleNotFoundError") for context in contexts
    )


def _contexts(analysis: Analysis, module: str, path: str) -> Iterator[Context]:
    """Where the neighbours import the module."""
    package, _, last = module.rpartition(".")
    if not package:
        return
    folder = path.rpartition("/")[0]
    names = [name for name in analysis.files.names(folder) if name.endswith(".py")]
    if len(names) > _NEIGHBOURS_MAX:
        return
    paths = [f"{folder}/{name}" for name in names]
    analysis.files.prefetch(paths)
    for neighbour in paths:
        node = analysis.files.resolve(neighbour)
        if node is None or node.kind != "file" or node.size_bytes > _BYTES_MAX:
            continue
        source = analysis.files.read(neighbour)
        if last.encode() in source:
            yield from (
                item.context for item in _imports(analysis, source, neighbour) if _is(item, package, last)
            )


def _imports(analysis: Analysis, source: bytes, path: str) -> list[Import]:
    tree = grammar.parse(source, analysis.python.version)
    if isinstance(tree, grammar.Invalid | grammar.Unknown):
        return []
    return imports.facts(tree, constants.Scope(path=path, version=analysis.python.version)).imports


def _is(found: Import, package: str, last: str) -> bool:
    """Whether a neighbour's import is of the module ``package.last``."""
    module = f"{package}.{last}"
    if found.level == 1:
        return found.module == last or (not found.module and last in found.names)
    if found.level:
        return False
    return found.module == module or (found.module == package and last in found.names)

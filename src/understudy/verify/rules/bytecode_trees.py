"""The bytecode of an image's Python sources: valid, stale or missing, tree by tree.

Follows `importlib._bootstrap_external.SourceLoader.get_code` on the header of each ``.pyc`` (PEP 552). Counts
only what a function may import: empty files, tests, installers and what no import statement can name do not
matter. Refuses to guess which modules are imported; a tree is judged as a whole.
"""

import _imp  # the keyed hash of PEP 552 for another Python's magic; importlib.util knows its own only
import posixpath
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from understudy.verify.model import Files, Node, Subject
from understudy.verify.python import searchpath
from understudy.verify.python.interpreter import Interpreter

_HEADER = struct.Struct("<4sI8s")
_STAMP = struct.Struct("<II")
_HASHED, _CHECKED = 1, 2
_SIPHASH13_SINCE = (3, 11)
_OTHERS_READ = 0o004
_NEVER_IMPORTED = frozenset(
    {
        "__pycache__",
        "_distutils_hack",
        "bin",
        "docs",
        "ensurepip",
        "examples",
        "idlelib",
        "lib2to3",
        "node_modules",
        "pip",
        "pkg_resources",
        "setuptools",
        "test",
        "tests",
        "turtledemo",
        "wheel",
    }
)
_TAG = re.compile(r"(?P<tag>[a-z]+-\d+)(?P<threads>t?)")


class State(Enum):
    """What Python makes of a source's bytecode."""

    VALID = "valid"
    MISSING = "missing"
    STALE = "stale"


@dataclass(slots=True, kw_only=True)
class Tree:
    """The sources of one directory of the search path.

    Attributes:
        root: that directory.
        title: what it is, in a few words.
        own: whether it is the user's own code, with no distribution in it.
        count: sources that matter.
        size_bytes: of those.
        lacking: sources without valid bytecode, by state.
        unchecked: sources whose bytecode is taken without a look at the source, with the hash it names.
    """

    root: str
    title: str
    own: bool
    count: int = 0
    size_bytes: int = 0
    lacking: dict[State, list[Node]] = field(default_factory=dict)
    unchecked: dict[str, bytes] = field(default_factory=dict)

    def lacking_bytes(self, state: State) -> int:
        """Source without valid bytecode."""
        return sum(node.size_bytes for node in self.lacking.get(state, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Where this Python looks for bytecode, and what it takes.

    Attributes:
        magic: first four bytes; empty when unknown, and then any will do.
        endings: of the files in ``__pycache__``.
        prefix: PYTHONPYCACHEPREFIX; empty for ``__pycache__`` beside the source.
        optimization: 0, 1 or 2.
    """

    magic: bytes
    endings: tuple[str, ...]
    prefix: str
    optimization: int

    def paths(self, source: str) -> Iterator[str]:
        """Where the bytecode of `source` may be."""
        folder, name = posixpath.split(source)
        folder = f"{self.prefix}{folder}" if self.prefix else f"{folder}/__pycache__"
        for ending in self.endings:
            yield f"{folder}/{name.removesuffix('.py')}{ending}"


def cache_of(subject: Subject, python: Interpreter) -> Cache:
    """Returns where `python` looks for bytecode under the function's environment."""
    flags = searchpath.options(python.arguments).flags
    environment = {} if flags & {"E", "I"} else subject.launch.environment
    asked = environment.get("PYTHONOPTIMIZE", "")
    level = (int(asked) if asked.isdigit() else 1) if asked else 0
    level = min(max(level, int("O" in flags)), 2)
    match = _TAG.match(python.soabi)
    tags = [match["tag"] + match["threads"], match["tag"]] if match else []
    tail = f".opt-{level}.pyc" if level else ".pyc"
    return Cache(
        magic=python.magic,
        endings=tuple(dict.fromkeys(f".{tag}{tail}" for tag in tags)),
        prefix=environment.get("PYTHONPYCACHEPREFIX", "").rstrip("/"),
        optimization=level,
    )


def trees(subject: Subject, python: Interpreter, cache: Cache) -> tuple[Tree, ...]:
    """Returns the trees of the search path that hold sources, in its order."""
    files = subject.files
    roots = _roots(files, python)
    found = []
    for root in roots:
        packaged = any(name.endswith(".dist-info") for name in files.names(root))
        own = root == python.task_root and not packaged
        tree = Tree(root=root, title=_title(root, python, own=own), own=own)
        for node in _sources(files, root, roots):
            _count(files, tree, node, cache)
        if tree.count:
            found.append(tree)
    return tuple(found)


def outdated(subject: Subject, python: Interpreter, tree: Tree) -> tuple[str, ...]:
    """Returns own sources whose unchecked bytecode was compiled from other source."""
    if python.version < _SIPHASH13_SINCE or not tree.own or not tree.unchecked:
        return ()
    subject.files.prefetch(tree.unchecked)
    key = int.from_bytes(python.magic, "little")
    return tuple(
        path
        for path, named in tree.unchecked.items()
        if _imp.source_hash(key, subject.files.read(path)) != named
    )


def sourceless(subject: Subject, python: Interpreter) -> Iterator[tuple[Node, bytes]]:
    """Yields bytecode that stands for a missing source and is another Python's, with its magic."""
    files = subject.files
    roots = _roots(files, python)
    if not python.magic:
        return
    for root in roots:
        for node in _importable(files, root, roots, ".pyc"):
            if files.get(node.path.removesuffix("c")) is None:
                magic = files.head(node.path)[:4]
                if magic != python.magic:
                    yield node, magic


def _roots(files: Files, python: Interpreter) -> tuple[str, ...]:
    wanted = dict.fromkeys((*python.search_path, python.stdlib))
    return tuple(root for root in wanted if root != "/" and files.names(root))


def _title(root: str, python: Interpreter, *, own: bool) -> str:
    if root == python.stdlib:
        return "the standard library"
    return "the function's own code" if own else "installed packages"


def _sources(files: Files, root: str, roots: tuple[str, ...]) -> Iterator[Node]:
    for node in _importable(files, root, roots, ".py"):
        if node.kind == "file":
            yield node
        elif (target := files.resolve(node.path)) is not None and target.kind == "file":
            yield target


def _importable(files: Files, folder: str, roots: tuple[str, ...], ending: str) -> Iterator[Node]:
    """Files that an import statement can name, outside of what a function does not import."""
    for name in files.names(folder):
        path = f"{folder}/{name}"
        if name.endswith(ending):
            node = files.get(path) if name[: -len(ending)].isidentifier() else None
            if node is not None and node.kind != "dir":
                yield node
        elif name.isidentifier() and name not in _NEVER_IMPORTED and path not in roots:
            node = files.get(path)
            if node is not None and node.kind == "dir":
                yield from _importable(files, path, roots, ending)


def _count(files: Files, tree: Tree, node: Node, cache: Cache) -> None:
    if not node.size_bytes:
        return
    tree.count += 1
    tree.size_bytes += node.size_bytes
    state, named = _state(files, node, cache)
    if state is not State.VALID:
        tree.lacking.setdefault(state, []).append(node)
    elif named:
        tree.unchecked[node.path] = named


def _state(files: Files, source: Node, cache: Cache) -> tuple[State, bytes]:
    """What Python makes of the bytecode; of an unchecked one also the hash of the source it names."""
    found = State.MISSING
    for path in cache.paths(source.path):
        node = files.resolve(path)
        if node is None or not node.mode & _OTHERS_READ:
            continue
        head = files.head(path)
        if len(head) >= _HEADER.size:
            magic, flags, rest = _HEADER.unpack_from(head)
            if cache.magic in {b"", magic}:
                if flags & _HASHED:
                    return State.VALID, b"" if flags & _CHECKED else rest
                stamp = _STAMP.pack(source.mtime_s & 0xFFFFFFFF, source.size_bytes & 0xFFFFFFFF)
                if not flags and rest == stamp:
                    return State.VALID, b""
        found = State.STALE
    return found, b""

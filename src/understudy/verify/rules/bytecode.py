"""Whether Python finds the bytecode of what it imports, and what it costs when it does not (A20).

Slow, never broken, with two exceptions: bytecode without a source that is another Python's, and bytecode that
is never compared with its source and was compiled from another one. What it costs is told as measured
elsewhere; which modules are imported is not known here.
"""

import posixpath
from collections.abc import Iterator
from itertools import islice

from understudy.verify.model import Finding, Rule, Severity, Subject
from understudy.verify.python import interpreter
from understudy.verify.python.interpreter import Interpreter
from understudy.verify.rules import bytecode_trees
from understudy.verify.rules.bytecode_trees import Cache, State, Tree
from understudy.verify.rules.found import found

_SLOW_BYTES = 150_000
"""About 35 ms of compiling on two cores; below it nobody will notice."""

_SLOW_SHARE = 0.2
_TOLD_BYTES = 20_000
_TOLD_FILES = 5
_PLACES_MAX = 10

MISSING = Rule(
    id="bytecode-missing",
    title="Python sources have no bytecode",
    severity=Severity.SLOW,
    catalogue=("A20",),
    aws_text="",
    why="Python compiles every module at every cold start: the image is read-only, so it cannot keep the "
    "result. A FastAPI application was measured to start in 696 ms without bytecode against 326 ms with.",
    fix="RUN python -m compileall -q --invalidation-mode unchecked-hash DIRECTORY",
    link="https://github.com/GoogleContainerTools/distroless/issues/865",
)
STALE = Rule(
    id="bytecode-stale",
    title="Bytecode is older than its source, or another Python's",
    severity=Severity.SLOW,
    catalogue=("A20",),
    aws_text="",
    why="Bytecode names the time and size of its source. Builds that rewrite timestamps make all of it "
    "void: Python reads it, throws it away and compiles. A FastAPI application was measured to start in "
    "716 ms so, against 326 ms with valid bytecode and 696 ms with none.",
    fix="RUN python -m compileall -q -f --invalidation-mode unchecked-hash DIRECTORY",
    link="https://docs.python.org/3/reference/import.html#pyc-invalidation",
)
OUTDATED = Rule(
    id="bytecode-outdated",
    title="Bytecode that is never checked was compiled from other source",
    severity=Severity.MAY_FAIL,
    catalogue=("A20",),
    aws_text="",
    why="Bytecode of the kind unchecked-hash is run without a look at the source: Lambda runs the code that "
    "was compiled, not the code in the image.",
    fix="RUN python -m compileall -q -f --invalidation-mode unchecked-hash DIRECTORY",
    link="https://peps.python.org/pep-0552/",
)
FOREIGN = Rule(
    id="bytecode-foreign",
    title="Bytecode without a source is another Python's",
    severity=Severity.MAY_FAIL,
    catalogue=("A20",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': bad magic number in 'app': "
    "b'\\xcb\\r\\r\\n'",
    why="Without a source Python has nothing to compile and refuses bytecode of another version.",
    fix="COPY the sources too, or compile them with the image's own Python",
    link="https://docs.python.org/3/reference/import.html#pyc-invalidation",
)

RULES = (FOREIGN, OUTDATED, STALE, MISSING)


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what Python will have to compile at every cold start, and bytecode that betrays its source."""
    python = interpreter.find(subject)
    if python is None or python.implementation != "cpython":
        return
    cache = bytecode_trees.cache_of(subject, python)
    yield from _foreign(subject, python)
    for tree in bytecode_trees.trees(subject, python, cache):
        yield from _lacking(subject, python, cache, tree)
        yield from _outdated(subject, python, tree)


def _lacking(subject: Subject, python: Interpreter, cache: Cache, tree: Tree) -> Iterator[Finding]:
    for state, rule in ((State.STALE, STALE), (State.MISSING, MISSING)):
        nodes = tree.lacking.get(state, ())
        lacking = tree.lacking_bytes(state)
        if lacking < _TOLD_BYTES or len(nodes) < _TOLD_FILES:
            continue
        slow = lacking >= _SLOW_BYTES and lacking >= tree.size_bytes * _SLOW_SHARE
        largest = sorted(nodes, key=lambda node: -node.size_bytes)[:_PLACES_MAX]
        yield found(
            rule,
            f"{tree.title} in {tree.root}: {len(nodes)} of {tree.count} modules ({lacking / 1e3:.0f} of "
            f"{tree.size_bytes / 1e3:.0f} kB of source) have {_lack(state, cache)}",
            (subject.place(node.path) for node in largest),
            fix=_fix(python, cache, tree.root, force=state is State.STALE),
            severity=Severity.SLOW if slow else Severity.INFO,
        )


def _lack(state: State, cache: Cache) -> str:
    if state is State.STALE:
        return "bytecode that Python will not use"
    if cache.prefix:
        return f"no bytecode below PYTHONPYCACHEPREFIX={cache.prefix}, the only place Python looks"
    if cache.optimization:
        return f"no bytecode for optimization level {cache.optimization} (*{cache.endings[0]})"
    return "no bytecode"


def _fix(python: Interpreter, cache: Cache, root: str, *, force: bool) -> str:
    if cache.prefix:
        return "unset PYTHONPYCACHEPREFIX"
    level = f" -{'O' * cache.optimization}" if cache.optimization else ""
    again = " -f" if force else ""
    return f"RUN {python.executable}{level} -m compileall -q{again} --invalidation-mode unchecked-hash {root}"


def _outdated(subject: Subject, python: Interpreter, tree: Tree) -> Iterator[Finding]:
    paths = bytecode_trees.outdated(subject, python, tree)
    if paths:
        yield found(
            OUTDATED,
            f"{len(paths)} modules of {tree.title} run from bytecode of other source, first {paths[0]}",
            (subject.place(path) for path in islice(paths, _PLACES_MAX)),
            fix=OUTDATED.fix.replace("python", python.executable, 1).replace("DIRECTORY", tree.root),
        )


def _foreign(subject: Subject, python: Interpreter) -> Iterator[Finding]:
    """Groups sourceless bytecode of another Python; the handler's own surely fails."""
    nodes = list(bytecode_trees.sourceless(subject, python))
    if not nodes:
        return
    handler = {f"{root}/{python.entry_module.replace('.', '/')}.pyc" for root in python.search_path}
    nodes.sort(key=lambda item: item[0].path not in handler)
    first, magic = nodes[0]
    sure = first.path in handler and bool(python.entry_module)
    module = python.entry_module if sure else posixpath.basename(first.path).removesuffix(".pyc")
    importer = python.entry_module or "app"
    yield found(
        FOREIGN,
        f"{first.path} has the magic number {int.from_bytes(magic[:2], 'little')} and no source, Python "
        f"{python.version_text} wants {int.from_bytes(python.magic[:2], 'little')}; {len(nodes)} such files",
        (subject.place(node.path) for node, _ in nodes[:_PLACES_MAX]),
        fix=FOREIGN.fix,
        severity=Severity.FAILS if sure else Severity.MAY_FAIL,
        aws_text=f"Runtime.ImportModuleError: Unable to import module '{importer}': "
        f"bad magic number in '{module}': {magic!r}",
    )

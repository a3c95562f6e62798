"""What code asks for and what is easily deleted: metadata of distributions, extensions of the library.

Belongs to the family `python_imports`. Looks at the user's own code, and at packages without metadata that it
imports directly.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from understudy.verify.model import Finding, Severity
from understudy.verify.python import distributions, imports
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import MetadataCall, ModuleFacts, Reach
from understudy.verify.python.modules import Module
from understudy.verify.rules import python_import_causes as causes
from understudy.verify.rules import python_import_judging as judging
from understudy.verify.rules import python_import_rules as rules
from understudy.verify.rules.found import found

_BINARY_BYTES_MAX = 64 << 20
_DYNLOAD_MIN_NAMES = 5
_METADATA_ERRORS = ("PackageNotFoundError", "ModuleNotFoundError", "ImportError")


def helpers(analysis: Analysis) -> Iterator[Finding]:
    """Standard modules whose extension the image leaves out (`_zstd` in the first images of 3.14)."""
    folder = f"{analysis.python.stdlib}/lib-dynload"
    names = analysis.files.names(folder)
    if len(names) < _DYNLOAD_MIN_NAMES:
        return
    for visit in analysis.closure.visits.values():
        helper = rules.HELPERS.get(visit.module.name)
        if helper is None or not visit.module.path.startswith(f"{analysis.python.stdlib}/"):
            continue
        if visit.swallows("ImportError", "ModuleNotFoundError") or not visit.way:
            continue
        if any(name.startswith(f"{helper}.") for name in names) or _is_linked_in(analysis, helper):
            continue
        last = visit.way[-1]
        milder = judging.severity(analysis, visit.reach, visit.function, last.path)
        sure = visit.reach is Reach.SURE
        yield found(
            rules.STANDARD,
            f"{judging.way(visit.way, visit.module.name)}: it needs {helper}, which {folder} lacks",
            [analysis.subject.place(last.path, line=last.line)],
            fix=f"use a newer image of Python {analysis.python.version_text}",
            aws_text=analysis.import_error(f"No module named '{helper}'") if sure else "",
            severity=milder,
        )


def _is_linked_in(analysis: Analysis, helper: str) -> bool:
    """Whether the interpreter or its library has the module's initialiser."""
    python = analysis.python
    library = posixpath.dirname(python.stdlib)
    paths = [python.real_executable]
    paths += [f"{library}/{name}" for name in analysis.files.names(library) if name.startswith("libpython")]
    for path in paths:
        node = analysis.files.resolve(path)
        if node is None or node.kind != "file":
            continue
        if node.size_bytes > _BINARY_BYTES_MAX or f"PyInit_{helper}".encode() in analysis.files.read(path):
            return True
    return False


def metadata(analysis: Analysis) -> Iterator[Finding]:
    """Yields questions for the metadata of distributions that have none on the search path."""
    for visit in analysis.closure.visits.values():
        path = visit.module.path
        facts = analysis.closure.facts.get(path) or _without_owner(analysis, visit.module)
        for call in facts.metadata if facts is not None else ():
            key = distributions.canonical(call.distribution)
            if key in analysis.effective or not key:
                continue
            if call.context.swallows(*_METADATA_ERRORS) or visit.swallows(*_METADATA_ERRORS):
                continue
            reach = max(visit.reach, call.context.reach)
            if reach is Reach.SURE or path in analysis.closure.facts:
                yield _without_metadata(analysis, path, call, reach)


def _without_owner(analysis: Analysis, module: Module) -> ModuleFacts | None:
    """A package of others that is imported directly and has no metadata itself."""
    path = module.path
    if not path.endswith("/__init__.py") or analysis.is_library(path) or analysis.owner(path) is not None:
        return None
    source = analysis.files.read(path)
    if b"metadata" not in source:
        return None
    read = imports.read(source, replace(analysis.scope, path=path, names={}))
    return read if isinstance(read, ModuleFacts) else None


def _without_metadata(analysis: Analysis, path: str, call: MetadataCall, reach: Reach) -> Finding:
    severity = judging.severity(analysis, reach, call.context.function, path)
    name, line = call.distribution, call.line
    error = f"No package metadata was found for {name}"
    text = analysis.import_error(error) if reach is Reach.SURE else f"[ERROR] PackageNotFoundError: {error}"
    return found(
        rules.METADATA,
        f"{path}:{line} asks for the metadata of {name}, and sys.path has no {name}-*.dist-info",
        [analysis.subject.place(path, line=line)],
        fix=f"RUN {causes.pip(analysis)} install {name}, and keep its .dist-info",
        aws_text="" if severity is Severity.INFO else text,
        severity=severity,
    )

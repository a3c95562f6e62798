"""Imports of the user's own code that nothing provides, each with the reason why.

Follows the code from the handler's module on. An import that surely happens at init fails; one inside a
function may; one that is caught, or that a condition may skip, is no finding above information. Where the
code changes how modules are found in a way that files do not show, nothing is said to fail. The handler's own
module is `entry`'s; missing extension modules of packages are `native`'s; packages in a home directory are
`filesystem_homes`'.
"""

from collections.abc import Iterable, Iterator

from understudy.verify.model import Finding, Place, Severity, Subject
from understudy.verify.python import analysis as analyses
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.visits import Failure
from understudy.verify.rules import filesystem_homes
from understudy.verify.rules import python_import_causes as causes
from understudy.verify.rules import python_import_judging as judging
from understudy.verify.rules import python_import_metadata as parts
from understudy.verify.rules import python_import_rules as rules
from understudy.verify.rules.found import found
from understudy.verify.rules.python_import_causes import Cause

RULES = rules.RULES

_PLACES_MAX = 5
_SETUPTOOLS_HOOK = "distutils-precedence.pth"


def check(subject: Subject) -> Iterator[Finding]:
    """Yields the imports that find nothing."""
    analysis = analyses.of(subject)
    if analysis is None or analysis.entry is None:
        return
    groups: dict[tuple[str, str], list[Failure]] = {}
    in_homes = {name for names in filesystem_homes.lost(subject, analysis).values() for name in names}
    for failure in analysis.closure.failures:
        if failure.kind == "module" and failure.name.partition(".")[0] in in_homes:
            continue
        if not failure.swallowed and not _is_provided(analysis, failure.name):
            groups.setdefault(_group(analysis, failure), []).append(failure)
    for (kind, _), failures in groups.items():
        failures.sort(key=lambda failure: _severity(analysis, failure).rank)
        yield _KINDS[kind](analysis, failures)
    yield from parts.helpers(analysis)
    yield from parts.metadata(analysis)


def _group(analysis: Analysis, failure: Failure) -> tuple[str, str]:
    """What failures with one cause and one fix have in common."""
    if failure.kind == "relative":
        return failure.kind, failure.importer.module.path
    if "." in failure.name and causes.shadowed(analysis, failure) is not None:
        return "module", failure.name.partition(".")[0]
    return failure.kind, failure.name


def _is_provided(analysis: Analysis, name: str) -> bool:
    """Whether code makes the module when Python or the user's code starts."""
    if name.partition(".")[0] == "distutils":
        folders = analysis.python.site_dirs
        return any(_SETUPTOOLS_HOOK in analysis.files.names(folder) for folder in folders)
    return name in analysis.closure.registered


def _severity(analysis: Analysis, failure: Failure, *, hidden: bool = False) -> Severity:
    importer = failure.importer
    function = importer.function or failure.found.context.function
    return judging.severity(analysis, failure.reach, function, importer.module.path, hidden=hidden)


def _places(analysis: Analysis, failures: Iterable[Failure]) -> list[Place]:
    places = {
        (failure.importer.module.path, failure.found.line): analysis.subject.place(
            failure.importer.module.path, line=failure.found.line
        )
        for failure in failures
    }
    return list(places.values())[:_PLACES_MAX]


def _module(analysis: Analysis, failures: list[Failure]) -> Finding:
    return _explained(analysis, failures, causes.of(analysis, failures[0]))


def _explained(analysis: Analysis, failures: list[Failure], cause: Cause) -> Finding:
    first = failures[0]
    severity = _severity(analysis, first, hidden=cause.hidden)
    return found(
        cause.rule,
        f"{judging.way(first.way, first.name)}: {cause.why}",
        [*_places(analysis, failures), *cause.places],
        fix=cause.fix,
        aws_text=_text(analysis, first, severity),
        severity=severity,
    )


def _text(analysis: Analysis, failure: Failure, severity: Severity) -> str:
    if severity is Severity.INFO:
        return ""
    if failure.reach is Reach.SURE:
        return analysis.import_error(failure.error)
    kind = "ModuleNotFoundError" if failure.kind == "module" else "ImportError"
    return f"[ERROR] {kind}: {failure.error}" if severity is Severity.MAY_FAIL else ""


def _name(analysis: Analysis, failures: list[Failure]) -> Finding:
    first = failures[0]
    module, _, last = first.name.rpartition(".")
    target = analysis.closure.finder.find(module)
    path = target.path if target is not None else ""
    cause = causes.shadowed(analysis, first) or Cause(
        rule=rules.NAME,
        why=f"{path or f'{module}, a directory without __init__.py,'} does not define {last}",
        fix=f"define {last} in {path}" if path else f"COPY {last}.py into {module.replace('.', '/')}/",
        places=(analysis.subject.place(path),) if path else (),
    )
    return _explained(analysis, failures, cause)


def _relative(analysis: Analysis, failures: list[Failure]) -> Finding:
    first = failures[0]
    severity = _severity(analysis, first)
    importer, wanted = first.importer.module, first.found
    dots = "." * wanted.level
    written = f"from {dots}{wanted.module} import {', '.join(wanted.names)}"
    if wanted.module:
        instead = f"from {wanted.module} import {', '.join(wanted.names)}"
    else:
        instead = f"import {', '.join(wanted.names)}"
    return found(
        rules.RELATIVE,
        f"{importer.path} says {written}, and {importer.name} is "
        + ("in no package" if "." not in importer.name else f"only {importer.name.count('.')} packages deep"),
        _places(analysis, failures),
        fix=f"write {instead} in {importer.path}, line {wanted.line}",
        aws_text=_text(analysis, first, severity),
        severity=severity,
    )


_KINDS = {"module": _module, "name": _name, "relative": _relative}

"""Installed distributions against what they require: of each other, of Python, and of their place.

A requirement that is not met proves nothing by itself: many packages require what they only use sometimes.
So a finding fails only when following the imports, through packages too, surely ends at the missing module;
it may fail when something imports it at all; otherwise it is information. Packages of AWS's runtime are AWS's
business.
"""

from collections.abc import Iterator

from understudy.verify.model import Finding, Severity, Subject
from understudy.verify.python import analysis as analyses
from understudy.verify.python import distributions, requirements
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.distributions import Distribution
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.modules import Module
from understudy.verify.python.requirements import Need
from understudy.verify.python.visits import Failure
from understudy.verify.rules import python_distribution_rules as rules
from understudy.verify.rules import python_import_judging as judging
from understudy.verify.rules import python_shadowing as shadowing
from understudy.verify.rules.found import found

RULES = rules.RULES

_RUNTIME = "/var/runtime"
_SHOWN_MAX = 3
# pydantic refuses to be imported with another release of its core than the one it names, since 2.12.
_EXACT = ("pydantic", "pydantic-core")
_EXACT_CHECK = b"_ensure_pydantic_core_version"


def check(subject: Subject) -> Iterator[Finding]:
    """Yields requirements that the image does not meet."""
    analysis = analyses.of(subject)
    if analysis is None:
        return
    needs = requirements.needs(analysis.effective.values(), analysis.python)
    used = _used(analysis, needs)
    yield from _missing(analysis, needs, used)
    yield from _conflicts(analysis, needs, used)
    yield from _pythons(analysis, used)
    yield from _hidden(analysis, used)


def _used(analysis: Analysis, needs: tuple[Need, ...]) -> frozenset[str]:
    """Distributions that the user's code imports, and what these require."""
    waiting = {owner.key for path in analysis.closure.visits if (owner := analysis.owner(path)) is not None}
    used: set[str] = set()
    while waiting:
        key = waiting.pop()
        used.add(key)
        waiting |= {need.key for need in needs if need.by.key == key} - used
    return frozenset(used)


def _missing(analysis: Analysis, needs: tuple[Need, ...], used: frozenset[str]) -> Iterator[Finding]:
    # What the user's own code imports is told by the family of imports.
    missed = {failure.name for failure in analysis.closure.failures if not failure.swallowed}
    absent: dict[str, list[Need]] = {}
    for need in needs:
        if need.key not in analysis.effective and need.by.folder != _RUNTIME:
            absent.setdefault(need.key, []).append(need)
    for key, wanting in absent.items():
        modules = distributions.modules_of(key)
        if any(analysis.finder.find(module) is not None for module in modules) or missed & set(modules):
            continue
        first = next((need for need in wanting if need.by.key in used), wanting[0])
        failure, severity = None, Severity.INFO
        if first.by.key in used:
            failure, severity = _proof(analysis, modules, {need.by.key for need in wanting})
        names = ", ".join(f"{need.by.name} {need.by.version}" for need in wanting[:_SHOWN_MAX])
        message = f"{names} requires {first.text}, which is not installed"
        if failure is not None:
            message += f"; {judging.way(failure.way, failure.name)}"
        yield found(
            rules.MISSING,
            message,
            [analysis.subject.place(need.by.metadata) for need in wanting[:_SHOWN_MAX]],
            fix=f"RUN {_install(analysis, first.by)} '{first.text}'",
            aws_text=analysis.import_error(failure.error)
            if failure is not None and severity is Severity.FAILS
            else "",
            severity=severity,
        )


def _proof(
    analysis: Analysis, modules: tuple[str, ...], wanting: set[str]
) -> tuple[Failure | None, Severity]:
    """The import that ends at one of `modules`, or at an unknown one in a package that wants it."""
    mentions = shadowing.import_of(modules)

    def thorough(module: Module, source: bytes) -> bool:
        owner = analysis.owner(module.path)
        return (owner is not None and owner.key in wanting) or mentions.search(source) is not None

    closure = analysis.walk_all(thorough)
    loud = [
        failure
        for failure in closure.failures
        if failure.kind == "module"
        and not failure.swallowed
        and (failure.name in modules or _is_wanted(analysis, failure, wanting))
    ]
    if not loud:
        # Nothing that is read imports it; what is not read might.
        return None, Severity.INFO if closure.complete else Severity.MAY_FAIL
    first = min(loud, key=lambda failure: failure.reach)
    followed = not (closure.opaque or analysis.unknown_hooks)
    if first.reach is Reach.SURE and followed and analysis.python.traced:
        return first, Severity.FAILS
    return first, Severity.INFO if first.reach is Reach.CONDITIONAL else Severity.MAY_FAIL


def _is_wanted(analysis: Analysis, failure: Failure, wanting: set[str]) -> bool:
    """Whether a package of `wanting` surely imports a module that nothing else explains."""
    if failure.reach is not Reach.SURE or "." in failure.name or analysis.finder.is_standard(failure.name):
        return False
    owner = analysis.owner(failure.importer.module.path)
    return owner is not None and owner.key in wanting


def _install(analysis: Analysis, beside: Distribution) -> str:
    target = ""
    if analysis.python.is_aws_base and beside.folder == analysis.python.task_root:
        target = ' --target "${LAMBDA_TASK_ROOT}"'
    return f"{analysis.python.executable} -m pip install{target}"


def _conflicts(analysis: Analysis, needs: tuple[Need, ...], used: frozenset[str]) -> Iterator[Finding]:
    for need in needs:
        have = analysis.effective.get(need.key)
        if have is None or (need.by.folder == have.folder == _RUNTIME):
            continue
        beside = [one for one in analysis.distributions if one.key == need.key and one.folder == have.folder]
        if any(need.accepts(one.version) for one in beside):
            continue
        severity = Severity.MAY_FAIL if need.by.key in used else Severity.INFO
        text = ""
        if (need.by.key, need.key) == _EXACT and _is_checked(analysis, need.by.key):
            severity = Severity.FAILS
            wanted = str(need.specifier).lstrip("=")
            text = (
                f"SystemError: The installed pydantic-core version ({have.version}) is incompatible with the "
                f"current pydantic version, which requires {wanted}."
            )
        yield found(
            rules.CONFLICT,
            f"{need.by.name} {need.by.version} requires {need.text}, {have.folder} has {have.version}",
            [analysis.subject.place(have.metadata), analysis.subject.place(need.by.metadata)],
            fix=f"RUN {_install(analysis, have)} '{need.text}'",
            aws_text=text,
            severity=severity,
        )


def _is_checked(analysis: Analysis, key: str) -> bool:
    """Whether importing the handler surely imports the package, and it compares the versions then."""
    package = analysis.finder.find(key)
    if package is None or _EXACT_CHECK not in analysis.files.read(package.path):
        return False
    visit = analysis.walk_all(lambda *_: False).visits.get(package.path)
    return visit is not None and visit.reach is Reach.SURE and not visit.caught


def _pythons(analysis: Analysis, used: frozenset[str]) -> Iterator[Finding]:
    python = analysis.python
    for have in analysis.effective.values():
        if not have.requires_python or have.folder == _RUNTIME:
            continue
        if requirements.fits_python(have.requires_python, python):
            continue
        yield found(
            rules.PYTHON,
            f"{have.name} {have.version} requires Python {have.requires_python}, "
            f"the image has {python.version_text}",
            [analysis.subject.place(have.metadata)],
            fix=f"RUN {_install(analysis, have)} --upgrade {have.name}",
            severity=Severity.MAY_FAIL if have.key in used else Severity.INFO,
        )


def _hidden(analysis: Analysis, used: frozenset[str]) -> Iterator[Finding]:
    """A release that was installed on top of another, and that Python never sees."""
    for have in analysis.distributions:
        winner = analysis.effective[have.key]
        if winner.folder == have.folder or winner.version == have.version:
            continue
        upper, lower = analysis.files.resolve(have.metadata), analysis.files.resolve(winner.metadata)
        if upper is None or lower is None or upper.layer <= lower.layer:
            continue
        newer = requirements.is_newer(have.version, winner.version)
        yield found(
            rules.HIDDEN,
            f"{have.name} {have.version} in {have.folder} is never imported: {winner.version} in "
            f"{winner.folder} comes before it on sys.path",
            [analysis.subject.place(have.metadata), analysis.subject.place(winner.metadata)],
            fix=_unhide(analysis, have),
            severity=Severity.MAY_FAIL if newer and have.key in used else Severity.INFO,
        )


def _unhide(analysis: Analysis, have: Distribution) -> str:
    if analysis.python.is_aws_base and "PYTHONPATH" in analysis.subject.launch.environment:
        return "remove PYTHONPATH, which takes the interpreter's own packages from the front of sys.path"
    if analysis.python.is_aws_base:
        install = f"{analysis.python.executable} -m pip install"
        return f'RUN {install} --target "${{LAMBDA_TASK_ROOT}}" {have.name}=={have.version}'
    return f"RUN {analysis.python.executable} -m pip uninstall -y {have.name}, then install it once"

"""Whether the loader finds every library, and every symbol version, that the handler's modules need (A2, A3).

Loads, on paper, the interpreter and each extension module that Python would take. A finding fails only where
the handler's imports surely come to the module, and a library that the package itself may load first is no
failure. Modules of the standard library that many images leave without their libraries are left alone.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from understudy.verify.model import Finding, Place, Rule, Severity, Subject
from understudy.verify.python import analysis as analyses
from understudy.verify.python import startup
from understudy.verify.python.analysis import Analysis
from understudy.verify.rules import (
    linking_fixes,
    linking_loader,
    native_faults,
    native_inventory,
    native_reach,
    native_rules,
)
from understudy.verify.rules.found import found
from understudy.verify.rules.linking_loader import Closure, Loader, MissingLibrary
from understudy.verify.rules.linking_rules import GLIBC, LIBRARY, RULES, VERSION
from understudy.verify.rules.native_inventory import Extension
from understudy.verify.rules.native_reach import Certainty, Route

__all__ = ["RULES", "check"]

_NO_FILE = "cannot open shared object file: No such file or directory"
_PLACES_MAX = 10
_OPTIONAL = frozenset(
    {"_crypt", "_curses", "_curses_panel", "_dbm", "_gdbm", "_tkinter", "nis", "ossaudiodev", "readline"}
)
_SEVERITY = {
    Certainty.SURE: Severity.FAILS,
    Certainty.POSSIBLE: Severity.MAY_FAIL,
    Certainty.GUARDED: Severity.INFO,
    Certainty.UNSEEN: Severity.INFO,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing that the loader misses for one module.

    Attributes:
        rule: that is broken.
        extension: the module.
        package: its distribution, or what stands in for one.
        name: of the library or version.
        needed_by: path of the object that needs it.
        error: what the loader says.
        brought: where the package itself has the library, so that it may load it first; empty when nowhere.
    """

    rule: Rule
    extension: Extension
    package: str
    name: str
    needed_by: str
    error: str
    brought: str = ""

    def plight(self, loader: Loader) -> str:
        """What a missing library has in common with those that the same fix cures."""
        if self.brought:
            return "the package's own code may load"
        if loader.in_configured_folder(self.name):
            return "not in /etc/ld.so.cache"
        return next((posixpath.dirname(path) for path in loader.copies(self.name)), "")


def check(subject: Subject) -> Iterator[Finding]:
    """Yields one finding per missing library or version and distribution."""
    analysis = analyses.of(subject)
    if analysis is None:
        return
    loader = Loader(subject, analysis.python)
    if loader.process.libraries or loader.process.versions:
        yield _process(analysis, loader)
        return
    lacks = list(_lacks(analysis, loader))
    if not lacks:
        return
    own = {lack.extension.module: lack.extension.path for lack in lacks if not _is_standard(analysis, lack)}
    routes = native_reach.routes(analysis, own) if own else {}
    groups: dict[tuple[str, str, str], list[Lack]] = {}
    for lack in lacks:
        plight = lack.plight(loader) if lack.rule is LIBRARY else ""
        groups.setdefault((lack.package, lack.rule.id, plight), []).append(lack)
    for group in groups.values():
        yield _finding(analysis, loader, group, routes)


def _process(analysis: Analysis, loader: Loader) -> Finding:
    """The interpreter itself does not start."""
    program, process = analysis.python.executable, loader.process
    if process.libraries:
        missing = process.libraries[0]
        rule, by, status = LIBRARY, missing.needed_by, 127
        error = f"error while loading shared libraries: {missing.damage or f'{missing.name}: {_NO_FILE}'}"
        what, fix = missing.name, linking_fixes.libraries(analysis, loader, [missing.name], None)
    else:
        lacking = max(process.versions, key=lambda item: linking_loader.version_key(item.version))
        rule, by, status = _version_rule(lacking.version), lacking.needed_by, 1
        error = f"{lacking.library}: version `{lacking.version}' not found (required by {lacking.needed_by})"
        what, fix = f"{lacking.version} of {lacking.library}", linking_fixes.same_base(by)
    return found(
        rule,
        severity=rule.severity if _is_direct(analysis) else Severity.MAY_FAIL,
        message=f"{program} does not start: {by} needs {what}, which the image does not have",
        places=[_place(analysis, by)],
        fix=fix,
        aws_text=f"{program}: {error}\nRuntime.ExitError: Runtime exited with error: exit status {status}",
    )


def _is_direct(analysis: Analysis) -> bool:
    """Whether nothing stands before the interpreter that may set LD_LIBRARY_PATH."""
    launch, python = analysis.subject.launch, analysis.python
    words = (*launch.entrypoint, *launch.command)
    first = startup.which(analysis.files, words[0], launch.environment, launch.working_dir) if words else None
    return python.is_aws_base or first == python.executable


def _lacks(analysis: Analysis, loader: Loader) -> Iterator[Lack]:
    closures: dict[str, tuple[Extension, Closure]] = {}
    for extension in native_inventory.extensions(analysis.files, analysis.python):
        if _is_loaded(analysis, extension):
            closures[extension.path] = (extension, loader.closure(extension.path))
    owned: native_inventory.Owners | None = None
    for extension, closure in closures.values():
        misaligned = _misaligned(extension, closure, loader.process)
        if not (closure.libraries or closure.versions or misaligned):
            continue
        owned = owned or native_inventory.owners(analysis.files, analysis.python)
        owner = owned.of(extension.path, extension.root)
        package = owner.name if owner is not None else extension.module.partition(".")[0]
        siblings = [other for item, other in closures.values() if _shares_root(item, extension)]
        for missing in closure.libraries:
            yield _library(analysis, loader, extension, package, missing, siblings)
        yield from _versions(extension, package, closure)
        if misaligned:
            error = f"{misaligned}: ELF load command address/offset not properly aligned"
            yield Lack(
                rule=native_rules.MISALIGNED,
                extension=extension,
                package=package,
                name=misaligned,
                needed_by=extension.path,
                error=error,
            )


def _library(
    analysis: Analysis,
    loader: Loader,
    extension: Extension,
    package: str,
    missing: MissingLibrary,
    siblings: Sequence[Closure],
) -> Lack:
    name = missing.name
    loaded = next((other.objects[name].path for other in siblings if name in other.objects), "")
    return Lack(
        rule=LIBRARY,
        extension=extension,
        package=package,
        name=name,
        needed_by=missing.needed_by,
        error=missing.damage or f"{name}: {_NO_FILE}",
        brought="" if missing.damage else loaded or _in_packages(analysis, loader, name),
    )


def _versions(extension: Extension, package: str, closure: Closure) -> Iterator[Lack]:
    """The highest version missing of each library; an image that had it would have the others."""
    highest: dict[str, linking_loader.MissingVersion] = {}
    for item in sorted(closure.versions, key=lambda item: linking_loader.version_key(item.version)):
        highest[item.library] = item
    for item in highest.values():
        yield Lack(
            rule=_version_rule(item.version),
            extension=extension,
            package=package,
            name=item.version,
            needed_by=item.needed_by,
            error=f"{item.library}: version `{item.version}' not found (required by {item.needed_by})",
        )


def _is_loaded(analysis: Analysis, extension: Extension) -> bool:
    """Whether Python takes this file for its module, and the loader gets as far as its libraries."""
    python = analysis.python
    if extension.suffix not in python.extension_suffixes:
        return False
    if extension.module in _OPTIONAL and extension.path.startswith(python.stdlib):
        return False
    elf = analysis.files.elf(extension.path)
    if elf is None or elf.damaged or elf.misaligned or elf.machine != python.machine or elf.bits != 64:
        return False
    if python.libc == "glibc" and any(native_faults.is_musl(name) for name in elf.needed):
        return False
    module = analysis.finder.find(extension.module)
    return module is not None and module.path == extension.path


def _misaligned(extension: Extension, closure: Closure, process: Closure) -> str:
    """The first library of a module that strip has broken; empty when none is."""
    known = {item.path for item in process.objects.values()}
    for item in closure.objects.values():
        if item.elf.misaligned and item.path not in known and item.path != extension.path:
            return item.path
    return ""


def _version_rule(version: str) -> Rule:
    return GLIBC if version.startswith("GLIBC_") else VERSION


def _is_standard(analysis: Analysis, lack: Lack) -> bool:
    return analysis.is_library(lack.extension.path) and lack.extension.path.startswith(analysis.python.stdlib)


def _shares_root(one: Extension, other: Extension) -> bool:
    return one.root == other.root and one.module.partition(".")[0] == other.module.partition(".")[0]


def _in_packages(analysis: Analysis, loader: Loader, name: str) -> str:
    """Where a package has a library of that name; its code may load it by path, as torch does."""
    roots = tuple(f"{root}/" for root in analysis.python.search_path)
    return next((path for path in loader.copies(name) if path.startswith(roots)), "")


def _finding(
    analysis: Analysis, loader: Loader, group: Sequence[Lack], routes: Mapping[str, Route]
) -> Finding:
    worst = min(group, key=lambda lack: _severity(analysis, loader, lack, routes).rank)
    severity = _severity(analysis, loader, worst, routes)
    route = routes.get(worst.extension.module)
    places = dict.fromkeys([worst.needed_by, *(lack.needed_by for lack in group)])
    return found(
        worst.rule,
        _message(analysis, loader, worst, group) + (route.text if route is not None else ""),
        (_place(analysis, path) for path in list(places)[:_PLACES_MAX]),
        fix=_fix(analysis, loader, worst, group),
        severity=severity,
        aws_text="" if severity is Severity.INFO else analysis.import_error(worst.error),
    )


def _message(analysis: Analysis, loader: Loader, worst: Lack, group: Sequence[Lack]) -> str:
    text = f"{worst.package}: {worst.needed_by} needs {worst.name}, "
    if worst.rule is native_rules.MISALIGNED:
        return f"{text}whose segments are not aligned"
    if worst.rule is not LIBRARY:
        has = linking_fixes.newest(analysis, worst.error.partition(":")[0], worst.name)
        return f"{text}the image has {has}"
    if worst.brought:
        text += f"which the loader finds only if the package loads {worst.brought} first"
    else:
        text += linking_fixes.whereabouts(loader, worst.name)
    others = [name for name in dict.fromkeys(lack.name for lack in group) if name != worst.name]
    return text + (f"; likewise {', '.join(others)}" if others else "")


def _place(analysis: Analysis, path: str) -> Place:
    """Where a file came from that the loader names by a path through links."""
    node = analysis.files.resolve(path)
    return analysis.subject.place(node.path if node is not None else path)


def _severity(analysis: Analysis, loader: Loader, lack: Lack, routes: Mapping[str, Route]) -> Severity:
    if _is_standard(analysis, lack):
        return Severity.MAY_FAIL
    route = routes.get(lack.extension.module)
    severity = _SEVERITY[route.certainty] if route is not None else Severity.INFO
    if lack.brought:
        return Severity.MAY_FAIL if severity is Severity.FAILS else Severity.INFO
    if severity is Severity.FAILS and lack.rule is LIBRARY and not _is_direct(analysis):
        return Severity.MAY_FAIL if loader.copies(lack.name) else severity
    return severity


def _fix(analysis: Analysis, loader: Loader, lack: Lack, group: Sequence[Lack]) -> str:
    owned = native_inventory.owners(analysis.files, analysis.python)
    owner = owned.of(lack.extension.path, lack.extension.root)
    if lack.rule is LIBRARY:
        names = list(dict.fromkeys(item.name for item in (lack, *group)))
        return linking_fixes.libraries(analysis, loader, names, owner)
    if lack.rule is native_rules.MISALIGNED:
        return f"leave out strip for {lack.name}, and reinstall {lack.package}"
    if lack.rule is GLIBC:
        return linking_fixes.older_wheel(analysis, loader, owner, lack.needed_by)
    return linking_fixes.same_base(lack.needed_by)

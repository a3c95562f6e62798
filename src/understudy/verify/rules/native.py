"""Why an extension module does not load: wrong Python, wrong processor, wrong C library, missing, broken.

The four causes behind ``No module named 'pydantic_core._pydantic_core'`` (A1) and their relatives (A19), told
apart by files alone. A finding fails only where the handler's own imports surely come to the module; what is
guarded, or has a twin that loads, is information.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from understudy.verify.model import Finding, Place, Severity, Subject
from understudy.verify.python import analysis as analyses
from understudy.verify.python.analysis import Analysis
from understudy.verify.rules import native_faults, native_inventory, native_package, native_reach
from understudy.verify.rules.found import found
from understudy.verify.rules.native_faults import Fault
from understudy.verify.rules.native_reach import Certainty, Route
from understudy.verify.rules.native_rules import ABI, GLIBC, MACHINE, MISSING, MUSL, RULES

__all__ = ["RULES", "check"]

_PLACES_MAX = 10
_SEVERITY = {
    Certainty.SURE: Severity.FAILS,
    Certainty.POSSIBLE: Severity.MAY_FAIL,
    Certainty.GUARDED: Severity.INFO,
    Certainty.UNSEEN: Severity.MAY_FAIL,
}


def check(subject: Subject) -> Iterator[Finding]:
    """Yields one finding per cause and distribution."""
    analysis = analyses.of(subject)
    if analysis is None or analysis.python.implementation != "cpython":
        return
    faults = list(native_faults.of(analysis))
    faults += native_package.unprovided(analysis, {fault.extension.module for fault in faults})
    if not faults:
        return
    broken = {fault.extension.module: fault.extension.path for fault in faults if not fault.hidden}
    routes = native_reach.routes(analysis, broken) if broken else {}
    for group in _groups(faults):
        yield _finding(analysis, group, routes)


def _groups(faults: Iterable[Fault]) -> Iterator[Sequence[Fault]]:
    """By cause and distribution; files that do not matter apart from those that do."""

    def key(fault: Fault) -> tuple[str, str, bool, str]:
        return fault.package, fault.rule.id, fault.hidden, fault.detail

    for _, group in itertools.groupby(sorted(faults, key=key), key=key):
        yield list(group)


def _finding(analysis: Analysis, group: Sequence[Fault], routes: dict[str, Route]) -> Finding:
    worst = min(group, key=lambda fault: _telling(fault, routes))
    severity = _severity(worst, routes)
    route = routes.get(worst.extension.module)
    ordered = [worst, *(fault for fault in group if fault is not worst)]
    aws_text = ""
    if severity is not Severity.INFO and route is not None:
        aws_text = analysis.import_error(worst.error or route.error)
        if worst.signal:
            aws_text = f"Runtime.ExitError: Runtime exited with error: signal: {worst.signal}"
    return found(
        worst.rule,
        _message(analysis, worst, len(group), route, severity),
        (_place(analysis, fault) for fault in ordered[:_PLACES_MAX]),
        fix=native_package.fix(analysis, worst),
        severity=severity,
        aws_text=aws_text,
    )


def _telling(fault: Fault, routes: dict[str, Route]) -> tuple[int, bool, int, str]:
    """Orders the files of one cause: the worst first, then those that the handler comes to soonest."""
    route = routes.get(fault.extension.module)
    way = route.way if route is not None else ()
    return _severity(fault, routes).rank, not way, len(way), fault.extension.path


def _place(analysis: Analysis, fault: Fault) -> Place:
    """Where the file came from; of one that is not there, where its package did."""
    path = fault.extension.path
    if fault.owner is None or analysis.files.get(path) is not None:
        return analysis.subject.place(path)
    return replace(analysis.subject.place(f"{fault.owner.metadata}/RECORD"), path=path)


def _severity(fault: Fault, routes: dict[str, Route]) -> Severity:
    route = routes.get(fault.extension.module)
    if fault.hidden or route is None:
        return Severity.INFO
    if route.certainty is Certainty.UNSEEN and not fault.extension.is_tagged:
        return Severity.INFO
    return max(_SEVERITY[route.certainty], fault.worst, key=lambda severity: severity.rank)


def _message(analysis: Analysis, fault: Fault, count: int, route: Route | None, severity: Severity) -> str:
    python = analysis.python
    version = f" {fault.owner.version}" if fault.owner is not None and fault.owner.version else ""
    several = f" (and {count - 1} more)" if count > 1 else ""
    text = f"{fault.package}{version}: {fault.extension.path}{several} {fault.detail}"
    if not fault.error and fault.rule is not MISSING:
        text += (
            f", the image runs Python {python.version_text}, {python.machine}, {python.libc} ({python.soabi})"
        )
    if fault.rule in {ABI, GLIBC, MACHINE, MUSL}:
        text += _wheel(analysis, fault)
    if fault.hidden:
        return f"{text}; another file provides the module"
    if route is not None and route.text:
        return text + route.text
    return f"{text}; no import of it was seen" if severity is not Severity.FAILS else text


def _wheel(analysis: Analysis, fault: Fault) -> str:
    """What the wheel's own tags add."""
    if fault.owner is None or fault.detail.startswith("comes from a wheel"):
        return ""
    tags = native_inventory.wheel_tags(analysis.files, fault.owner)
    return f"; its WHEEL says {tags[0]}" if tags else ""

"""How bad it is that something the user's code does at import, or later, does not work.

Shared by the rules about imports. A good image must never hear more than information, so everything that may
be otherwise than the files show lowers the verdict.
"""

import posixpath
from collections.abc import Iterable

from understudy.verify.model import Severity
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Reach
from understudy.verify.python.visits import Step

# Called for names that are not there; a plugin loader is no sign that anything asks for the plugin.
_ON_DEMAND = frozenset({"__getattr__", "__dir__", "__del__"})


def severity(analysis: Analysis, reach: Reach, function: str, path: str, *, hidden: bool = False) -> Severity:
    """Returns how bad it is that something fails which code does at import or when a function is called.

    Args:
        analysis: of the image.
        reach: whether importing the handler gets to it.
        function: that it is in.
        path: of the file that has it.
        hidden: whether the image has what is missed, off the search path.
    """
    closure = analysis.closure
    followed = not (closure.opaque or analysis.unknown_hooks or "" in closure.registered)
    if reach is Reach.SURE:
        if followed and analysis.python.traced:
            return Severity.FAILS
        # Code that changes the search path may well do so in order to find it.
        return Severity.INFO if hidden and not followed else Severity.MAY_FAIL
    if reach is Reach.CONDITIONAL or not followed or not _is_beside_entry(analysis, path):
        return Severity.INFO
    return Severity.MAY_FAIL if _is_called(analysis, function) else Severity.INFO


def _is_called(analysis: Analysis, function: str) -> bool:
    """Whether something in the user's code mentions a function."""
    if function in _ON_DEMAND:
        return False
    if function.startswith(("<", "__")) or function == analysis.python.handler.rpartition(".")[2]:
        return True
    return any(
        function in facts.loads or function in facts.decorated for facts in analysis.closure.facts.values()
    )


def _is_beside_entry(analysis: Analysis, path: str) -> bool:
    """Whether a file came with the handler, so that it is no package of others without metadata."""
    if analysis.entry is None:
        return False
    first, second = analysis.files.resolve(path), analysis.files.resolve(analysis.entry.path)
    return first is not None and second is not None and first.layer == second.layer


def way(steps: Iterable[Step], name: str) -> str:
    """Returns a chain of imports, ``handler (handler.py:3) -> app.db (db.py:1) -> sqlalchemy``."""
    parts = [f"{step.name} ({posixpath.basename(step.path)}:{step.line})" for step in steps]
    return " -> ".join([*parts, name])

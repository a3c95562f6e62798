"""How the user's files lie among others: names that hide others, and files that run at every start.

Says nothing of names that hide something which nobody else imports, beyond information.
"""

from collections.abc import Iterator

from understudy.verify.model import Finding, Rule, Severity, Subject
from understudy.verify.python import analysis as analyses
from understudy.verify.python.analysis import Analysis
from understudy.verify.python.importmodel import Import, Reach
from understudy.verify.rules import python_layout_rules as rules
from understudy.verify.rules import python_shadowing as shadowing
from understudy.verify.rules.found import found
from understudy.verify.rules.python_shadowing import Shadow, Victim

RULES = rules.RULES

_PLACES_MAX = 4
# The runtime client needs them to report any error of init, which then ends without a word.
_OF_REPORTS = frozenset({"http", "email"})
_EXIT = "Runtime.ExitError: Runtime exited with error: exit status 1"


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what lies in the wrong place."""
    analysis = analyses.of(subject)
    if analysis is None or analysis.entry is None:
        return
    # What the user's own code misses through them is told by the family of imports.
    missed = {
        failure.name.partition(".")[0] for failure in analysis.closure.failures if not failure.swallowed
    }
    hidden = tuple(shadow for shadow in shadowing.shadows(analysis) if shadow.name not in missed)
    replaced = frozenset(shadow.name for shadow in hidden if not shadow.loaded)
    victims = shadowing.victims(analysis, replaced) if replaced else {}
    for shadow in hidden:
        if shadow.loaded:
            yield from _never_imported(analysis, shadow)
            continue
        itself = _imports_itself(analysis, shadow)
        if itself is not None:
            yield _circular(analysis, shadow, itself)
        else:
            yield _shadowing(analysis, shadow, victims[shadow.name])
    yield from _hooks(analysis)


def _rule(shadow: Shadow) -> Rule:
    return rules.PACKAGE if shadow.package else rules.STANDARD


def _rename(shadow: Shadow) -> str:
    return f"rename {shadow.path}, and the imports of it"


def _never_imported(analysis: Analysis, shadow: Shadow) -> Iterator[Finding]:
    if analysis.python.entry_module != shadow.name:
        return
    function = analysis.python.handler.rpartition(".")[2]
    yield found(
        rules.STANDARD,
        f"{shadow.path} is the handler's module, but Python has loaded {shadow.original} before",
        [analysis.subject.place(shadow.path)],
        fix=_rename(shadow),
        aws_text=f"Runtime.HandlerNotFound: Handler '{function}' missing on module '{shadow.name}'",
        severity=Severity.FAILS,
    )


def _imports_itself(analysis: Analysis, shadow: Shadow) -> Import | None:
    """The import by which a module means its namesake and gets itself."""
    facts = analysis.closure.facts.get(shadow.path)
    visit = analysis.closure.visits.get(shadow.path)
    if facts is None or visit is None or visit.reach is not Reach.SURE:
        return None
    for item in facts.imports:
        sure = item.context.reach is Reach.SURE and not item.context.swallows("ImportError")
        if (
            sure
            and not item.level
            and item.module == shadow.name
            and shadow.path.endswith(f"/{shadow.name}.py")
        ):
            lacking = facts.uses.get(shadow.name, set()) - facts.defines
            if item.names or lacking:
                return item
    return None


def _circular(analysis: Analysis, shadow: Shadow, item: Import) -> Finding:
    name, circular = shadow.name, "(most likely due to a circular import)"
    if item.names:
        text = analysis.import_error(
            f"cannot import name '{item.names[0]}' from partially initialized module '{name}' {circular} "
            f"({shadow.path})"
        )
    else:
        facts = analysis.closure.facts[shadow.path]
        lacking = min(facts.uses.get(name, set()) - facts.defines)
        text = (
            f"AttributeError: partially initialized module '{name}' has no attribute '{lacking}' {circular}"
        )
    return found(
        _rule(shadow),
        f"{shadow.path}:{item.line} imports {name} and gets itself in place of {shadow.original}",
        [analysis.subject.place(shadow.path, line=item.line)],
        fix=_rename(shadow),
        aws_text=text,
        severity=Severity.FAILS,
    )


def _shadowing(analysis: Analysis, shadow: Shadow, victims: list[Victim]) -> Finding:
    severity, text = Severity.INFO, ""
    message = f"{shadow.path} hides {shadow.original}; nothing that is seen to be imported needs that"
    if victims:
        worst = victims[0]
        severity = Severity.MAY_FAIL
        message = f"{shadow.path} hides {shadow.original}, which {worst.path} imports"
        if worst.error and worst.reach is Reach.SURE:
            severity = Severity.FAILS if analysis.python.traced else Severity.MAY_FAIL
            text = _text(analysis, shadow, worst)
            message = f"{message}: {worst.error}"
    return found(
        _rule(shadow),
        message,
        [
            analysis.subject.place(shadow.path),
            *(analysis.subject.place(victim.path, line=victim.line) for victim in victims[: _PLACES_MAX - 1]),
        ],
        fix=_rename(shadow),
        aws_text=text,
        severity=severity,
    )


def _text(analysis: Analysis, shadow: Shadow, victim: Victim) -> str:
    if shadow.name in _OF_REPORTS:
        return f"{_EXIT}\n{victim.error}"
    if "/awslambdaric/" in victim.path or (analysis.is_library(victim.path) and not victim.import_error):
        return f"{_EXIT}\n{victim.error}"
    if victim.import_error:
        return analysis.import_error(victim.error)
    return f"AttributeError: {victim.error}"


def _hooks(analysis: Analysis) -> Iterator[Finding]:
    for hook in analysis.python.hooks:
        if hook.startswith(f"{analysis.python.task_root}/") and hook.endswith(".pth"):
            yield found(
                rules.PTH,
                f"{hook} runs code whenever the function starts",
                [analysis.subject.place(hook)],
                fix=f"RUN rm {hook}, if nothing needs it",
            )

"""The project's budget of cold starts: what a report comes to, and whether a deploy may go on.

A digest that was measured as the function runs it is not measured again, not even on another machine: a job
that holds credentials boots nothing. One that seems slower than the accepted one is measured beside it before
it is called that. Refuses to make up a measure: without a digest that was accepted there is no regression.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.coldstart import budget, ledger
from understudy.errors import UnderstudyError
from understudy.reconcile import invocation
from understudy.reconcile.rollout.checks import Check
from understudy.targets import record
from understudy.targets.starts import brief, measuring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from understudy.coldstart.model import Report
    from understudy.image.store import Store
    from understudy.targets.events import Report as Tell
    from understudy.targets.starts.measuring import Wanted
    from understudy.targets.target import Target
    from understudy.targets.workspace import Workspace

_RUNS = 5  # the fewest that can differ by more than chance


class BudgetExceededError(UnderstudyError):
    """An image starts more slowly than its project allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStartGate:
    """Asks the budgets of images, where the project has any.

    Attributes:
        workspace: the project.
        target: its overlay says how functions run the images.
        store: the images.
        tell: told what is measured.
    """

    workspace: Workspace
    target: Target
    store: Store
    tell: Tell

    def check(self, digests: Mapping[str, str]) -> tuple[Check, ...]:
        """What the budgets say about these images; nothing where the project has none.

        Raises:
            BudgetExceededError: one starts too slowly.
            UnderstudyError: one does not start, or this machine cannot isolate.
        """
        return tuple(check for name, digest in digests.items() for check in self._checks(name, digest))

    def accept(self, digests: Mapping[str, str]) -> None:
        """Makes these images, which were deployed, the measure of later ones."""
        for name, digest in digests.items():
            if self.workspace.project.images[name].cold_start is not None:
                ledger.accept(self.workspace.layout.cold_starts, name, digest)

    def judge(self, report: Report, wanted: Wanted, before: Report | None = None) -> Report:
        """The report with what the budget says about it, kept in the history.

        Args:
            report: that is judged.
            wanted: what was measured.
            before: that it is held against; `None` for the accepted one.

        Raises:
            UnderstudyError: it had to be measured again and does not start.
        """
        judged = self._judged(
            report, before or ledger.accepted(self.workspace.layout.cold_starts, report.image)
        )
        if before is None and any(one.is_suspect for one in judged.verdicts):
            judged = self._judged_beside(judged, wanted)
        ledger.note(self.workspace.layout.cold_starts, judged)
        return judged

    def _judged(self, report: Report, before: Report | None) -> Report:
        section = self.workspace.image(report.image).cold_start
        if section is None:
            return report
        allowed = budget.Budget(limit_ms=section.limit_ms, regression=section.regression_share)
        return dataclasses.replace(report, verdicts=budget.check(allowed, report, before))

    def _judged_beside(self, report: Report, wanted: Wanted) -> Report:
        """The report with figures that were measured in turns with those of the accepted digest."""
        before = ledger.accepted(self.workspace.layout.cold_starts, report.image)
        if before is None or not self.store.has(before.digest):
            return report
        wanted = dataclasses.replace(
            wanted,
            function=report.function,
            memory_mb=(report.series[0].condition.memory_mb,),
            runs=max(_RUNS, wanted.runs),
        )
        both = [before.digest, report.digest]
        old, new = brief.run(self.workspace, self.target, self.store, wanted, both, self.tell)
        ledger.note(self.workspace.layout.cold_starts, old)
        return self._judged(dataclasses.replace(report, series=(*new.series, *report.series[1:])), old)

    def _checks(self, name: str, digest: str) -> Iterator[Check]:
        if self.workspace.project.images[name].cold_start is None:
            return
        report = self._report(name, digest)
        insist(report)
        for one in report.verdicts:
            yield Check(name=f"{one.name} of {name}", outcome="passed", detail=one.detail)

    def _report(self, name: str, digest: str) -> Report:
        """What the digest was measured at before, or is now."""
        running = record.read(self.workspace.layout)
        wanted = measuring.Wanted(
            image=name,
            digest=digest,
            runs=_RUNS,
            event=invocation.http_event("/health"),
            event_name="GET /health",
            endpoint=running.endpoint if running else "",
        )
        launch = measuring.launch_of(self.workspace, self.target, wanted)
        known = ledger.find(self.workspace.layout.cold_starts, name, digest)
        asked = (launch.function, launch.overrides.memory_mb, wanted.event_name)
        if known is None or _asked(known) != asked or len(known.series[0].samples) < _RUNS:
            (known,) = brief.run(self.workspace, self.target, self.store, wanted, [digest], self.tell)
        return self.judge(known, wanted)


def insist(report: Report) -> None:
    """Returns when a report keeps to its budget.

    Raises:
        BudgetExceededError: it does not.
    """
    broken = [f"{one.name}: {one.detail}" for one in report.verdicts if not one.passed]
    if broken:
        raise BudgetExceededError(
            "coldstart-budget",
            f"image {report.image} starts too slowly: {'; '.join(broken)}",
            hint=f"./understudy coldstart {report.image} says where the time goes; "
            f"or raise images.{report.image}.coldStart",
            where=f"understudy.yaml, images.{report.image}.coldStart",
        )


def _asked(report: Report) -> tuple[str, int, str]:
    return report.function, report.series[0].condition.memory_mb, report.event

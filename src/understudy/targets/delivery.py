"""A deploy as a whole: planned, applied, moved, looked at; and put back when what was moved does not work.

The first write comes after everything that can be known before it. Only aliases go back: the image, the
function and the new version stay, and nobody calls them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from understudy.reconcile.manager import text
from understudy.reconcile.model import ApplyEvent, Plan
from understudy.reconcile.rollout import history, probes, subjects
from understudy.reconcile.rollout.checks import Check, Get
from understudy.reconcile.rollout.model import Canary, RolloutError, Subject
from understudy.reconcile.rollout.mover import LiveMover
from understudy.reconcile.services.lambda_ import LATEST
from understudy.targets import checking, http
from understudy.targets.checking import Checker
from understudy.targets.deployment import Deployed, Deployment
from understudy.targets.events import Advanced, Done, Noticed, Report, Started
from understudy.targets.running import Live
from understudy.targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a deploy is to go.

    Attributes:
        canary: a part of the traffic first.
        description: of the versions that it publishes.
        without_proof: why the images need no proof; empty when they have one, or need none.
        approve: told the plan before the first write; raises to stop it.
        stop: set when the user wants it to end.
    """

    canary: Canary | None = None
    description: str = ""
    without_proof: str = ""
    approve: Callable[[Plan], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a deploy left behind.

    Attributes:
        deployed: the stack.
        live: what callers of each function get.
        checks: what was looked at.
        without_proof: the reason, when it went without proof.
    """

    deployed: Deployed
    live: tuple[Live, ...]
    checks: tuple[Check, ...]
    without_proof: str = ""


class Delivery:
    """Deploys to one target.

    Args:
        deployment: to that target.
        target: the target.
        report: told what happens.
        get: asks URLs.
    """

    def __init__(
        self, deployment: Deployment, target: Target, report: Report, *, get: Get = http.answer
    ) -> None:
        self._deployment = deployment
        self._aws = deployment.aws
        self._report = report
        self._step = f"deploy to {target.name}"
        self._checker = Checker(aws=deployment.aws, target=target, report=report, step=self._step, get=get)

    def deliver(self, digests: Mapping[str, str], tags: Sequence[str], terms: Terms) -> Delivered:
        """Returns once callers get these images, and what they get was looked at.

        Raises:
            RolloutError: what was deployed does not work; aliases that moved are back where they were.
            UnderstudyError: the plan was refused, or a resource failed.
        """
        began, began_ms = time.monotonic(), checking.now_ms()
        self._report(Started(step=self._step))
        self._deployment.tell_pushes(lambda line: self._report(Advanced(step=self._step, text=line)))
        stack, _, planned = self._deployment.plan(digests, tags, terms.description)
        self._deployment.check_owned(planned)
        terms.approve(planned)
        mover = LiveMover(
            subjects=subjects.of_stack(stack), canary=terms.canary, stop=terms.stop, say=self._say
        )
        with self._checker.returning(mover):
            deployed = self._deployment.carry_out(stack, planned, self._on_event, mover)
            live = tuple(
                (subject, one)
                for subject in mover.subjects.values()
                for one in self._live(deployed, subject, mover)
            )
            looked = tuple(
                check
                for subject, one in live
                for check in self._checker.look(
                    subject,
                    one,
                    deployed.report.observed,
                    began_ms=began_ms,
                    request_id=mover.probed.get(subject.function, ""),
                )
            )
        for subject, one in live:
            self._note(deployed, subject, one, terms.without_proof)
        self._report(Done(step=self._step, seconds=time.monotonic() - began))
        if terms.canary and not mover.moves:
            self._say("no alias had to move, so there was no canary")
        return Delivered(
            deployed=deployed,
            live=tuple(one for _, one in live),
            checks=looked,
            without_proof=terms.without_proof,
        )

    def _say(self, words: str) -> None:
        self._report(Noticed(text=words))

    def _on_event(self, event: ApplyEvent) -> None:
        self._report(Advanced(step=self._step, text=f"{event.key}: {event.verb} {event.phase}"))

    def _live(self, deployed: Deployed, subject: Subject, mover: LiveMover) -> Iterator[Live]:
        """What runs, seen to be what should; an alias that was just made is probed as one that moves is."""
        for alias, version, is_new in _points(deployed, subject):
            if is_new:
                self._probe_first(subject, alias, version, mover)
            digest = probes.running_digest(self._aws, subject.function, version)
            if digest != subject.digest:
                raise RolloutError(
                    "digest-differs",
                    f"{subject.function} runs {digest or 'no image'}, expected {subject.digest}",
                    hint="run the same command again",
                )
            moved = [one.old for one in mover.moves if (one.function, one.alias) == (subject.function, alias)]
            yield Live(
                function=subject.function,
                alias=alias,
                version=version,
                digest=digest,
                previous=moved[0] if moved else "",
                is_new=is_new,
            )

    def _probe_first(self, subject: Subject, alias: str, version: str, mover: LiveMover) -> None:
        try:
            mover.probed[subject.function] = probes.check(self._aws, subject, version)
        except RolloutError as error:
            told = f"{subject.function}:{alias} stays at version {version}: this is its first deploy"
            raise RolloutError(
                error.code, f"{error.message}; {told}, there is nothing to go back to", hint=error.hint
            ) from error

    def _note(self, deployed: Deployed, subject: Subject, live: Live, reason: str) -> None:
        """Keeps the history, and heals one that a process left without its last move."""
        function = deployed.report.observed.get(subject.key)
        tags = function.spec.get("tags") if function else None
        known = tags if isinstance(tags, Mapping) else {}
        if not live.alias:
            return
        if live.previous or live.is_new or not history.is_noted(known, live.alias, live.version):
            history.note(self._aws, live.function, live.alias, live.previous, live.version, reason=reason)


def _points(deployed: Deployed, subject: Subject) -> Iterator[tuple[str, str, bool]]:
    """Each alias that follows a function, the version that it points at, and whether it was just made."""
    if not subject.aliases:
        yield "", LATEST, False
    for alias in deployed.stack.of_kind("Alias"):
        found = deployed.report.observed.get(alias.key)
        if subject.key in alias.dependencies and found and text(found.spec, "name") in subject.aliases:
            is_new = deployed.report.applied.get(alias.key) in ("create", "replace")
            yield text(found.spec, "name"), text(found.spec, "functionVersion"), is_new

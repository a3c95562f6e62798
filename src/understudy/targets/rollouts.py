"""Releases of a target's functions after the deploy: what is live, what was, and back to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from understudy.errors import UnderstudyError
from understudy.reconcile import lock
from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout import aliases, history, plan, probes
from understudy.reconcile.rollout.checks import Check, Get
from understudy.reconcile.rollout.model import AliasState, Rollout, Subject
from understudy.reconcile.rollout.mover import LiveMover
from understudy.targets import checking, http
from understudy.targets.checking import Checker
from understudy.targets.events import Noticed, Report
from understudy.targets.running import Live, Running
from understudy.targets.target import Target
from understudy.targets.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What going back came to.

    Attributes:
        live: what callers get now.
        ended_canary: versions that had a part of the traffic and have none now.
        checks: what was looked at; nothing where only a canary ended.
    """

    live: Live
    ended_canary: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


class Rollouts:
    """The releases of one target.

    Args:
        workspace: the project.
        target: the target.
        aws: its clients.
        report: told what happens.
        get: asks URLs.
    """

    def __init__(
        self, workspace: Workspace, target: Target, aws: Aws, report: Report, *, get: Get = http.answer
    ) -> None:
        self._workspace = workspace
        self._target = target
        self._aws = aws
        self._report = report
        self._running = Running(workspace, target, aws)
        step = f"rollout on {target.name}"
        self._checker = Checker(aws=aws, target=target, report=report, step=step, get=get)

    def read(self, function: str = "") -> tuple[Rollout, ...]:
        """The releases of each alias that follows a function of the project, or of one function.

        Raises:
            UnderstudyError: there is no such function, or it was not deployed.
        """
        return tuple(
            history.read(self._aws, subject.function, alias)
            for subject in self._subjects(function)
            for alias in subject.aliases
        )

    def undo(self, function: str = "", to: str = "") -> Undone:
        """Returns once callers get the version before, or version `to`; a canary alone is just ended.

        Raises:
            UnderstudyError: there is nothing to go back to, or several functions and none was named.
            RolloutError: that version does not work; the alias is where it was.
        """
        subject, alias = self._one(function)
        with lock.held(self._workspace.layout.apply_lock(self._target.name)):
            state = aliases.get(self._aws, subject.function, alias)
            if state.weights and not to:
                return self._end_canary(state)
            version = to or self._before(state)
            digest = probes.running_digest(self._aws, subject.function, version)
            if not digest:
                raise UnderstudyError(
                    "revision-absent",
                    f"function {subject.function} has no version {version}",
                    hint=f"./understudy rollout history --target {self._target.name}",
                )
            return self._move(replace(subject, digest=digest), state, version)

    def _move(self, subject: Subject, state: AliasState, version: str) -> Undone:
        began_ms = checking.now_ms()
        mover = LiveMover(subjects={subject.function: subject}, say=self._say)
        live = Live(
            function=state.function,
            alias=state.alias,
            version=version,
            digest=subject.digest,
            previous=state.version if state.version != version else "",
        )
        with self._checker.returning(mover):
            mover.to(self._aws, state, version)
            looked = self._checker.look(
                subject,
                live,
                self._running.door(subject),
                began_ms=began_ms,
                request_id=mover.probed.get(subject.function, ""),
            )
        found = history.read(self._aws, state.function, state.alias)
        reason = plan.reason_of(found.revisions[0].description)
        history.note(self._aws, state.function, state.alias, live.previous, version, reason=reason)
        return Undone(live=live, ended_canary=tuple(state.weights), checks=looked)

    def _end_canary(self, state: AliasState) -> Undone:
        aliases.point(self._aws, state, state.version)
        digest = probes.running_digest(self._aws, state.function, state.version)
        live = Live(function=state.function, alias=state.alias, version=state.version, digest=digest)
        return Undone(live=live, ended_canary=tuple(state.weights))

    def _before(self, state: AliasState) -> str:
        known = [one.version for one in history.read(self._aws, state.function, state.alias).revisions]
        found = plan.previous(known, state.version)
        if found is None:
            raise UnderstudyError(
                "rollout-first",
                f"{state} serves version {state.version}, and none before it is known",
                hint=f"name one: ./understudy rollout undo --target {self._target.name} --to-revision N",
            )
        return found

    def _one(self, function: str) -> tuple[Subject, str]:
        found = [(subject, alias) for subject in self._subjects(function) for alias in subject.aliases]
        if len(found) != 1:
            names = ", ".join(f"{subject.function}:{alias}" for subject, alias in found) or "none"
            raise UnderstudyError(
                "rollout-ambiguous",
                f"an alias of one function is wanted, and the project has: {names}",
                hint="name the function: --function NAME",
            )
        return found[0]

    def _subjects(self, function: str) -> Iterator[Subject]:
        known = [subject for _, subject in self._running.subjects()]
        if function and function not in [one.function for one in known]:
            raise UnderstudyError(
                "function-unknown",
                f"no function {function} runs an image of this project",
                hint=f"name one of {', '.join(one.function for one in known) or 'none'}",
            )
        return (one for one in known if function in ("", one.function))

    def _say(self, words: str) -> None:
        self._report(Noticed(text=words))

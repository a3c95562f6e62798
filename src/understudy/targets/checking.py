"""After an alias moved: looks at what callers get now, and puts the alias back when that does not work."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from understudy.errors import UnderstudyError
from understudy.reconcile.aws import Aws
from understudy.reconcile.model import Observed
from understudy.reconcile.rollout import aliases, checks
from understudy.reconcile.rollout.checks import Check, Get
from understudy.reconcile.rollout.model import Moved, RolloutError, Subject
from understudy.reconcile.rollout.mover import LiveMover
from understudy.targets import http, running
from understudy.targets.events import Advanced, Noticed, Report
from understudy.targets.running import Live
from understudy.targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Looks at the functions of one target.

    Attributes:
        aws: its clients.
        target: says where HTTP requests go.
        report: told what was seen.
        step: what is reported on.
        get: asks URLs.
    """

    aws: Aws
    target: Target
    report: Report
    step: str
    get: Get = http.answer

    def look(
        self, subject: Subject, live: Live, observed: Observed, *, began_ms: int, request_id: str
    ) -> tuple[Check, ...]:
        """What was looked at, all of it fine.

        Args:
            subject: the function.
            live: what its callers get.
            observed: the stack, for the address of its API.
            began_ms: when the release began, epoch milliseconds.
            request_id: of a probe of that version; its REPORT is waited for.

        Raises:
            RolloutError: something is not fine.
        """
        return tuple(
            self._told(live, check)
            for check in self._checks(subject, live, observed, began_ms=began_ms, request_id=request_id)
        )

    def _checks(
        self, subject: Subject, live: Live, observed: Observed, *, began_ms: int, request_id: str
    ) -> Iterator[Check]:
        url = running.url(self.target, subject, observed)
        if url and subject.is_whole:
            yield from checks.web(self.aws, url, self.get)
        if live.previous or live.is_new:
            yield from checks.log(self.aws, live.function, live.version, began_ms, request_id)

    def _told(self, live: Live, check: Check) -> Check:
        self.report(Advanced(step=self.step, text=f"{live}: {check.name}: {check.outcome}, {check.detail}"))
        if check.outcome == "failed":
            raise RolloutError(
                "check-failed",
                f"{live}, version {live.version}: {check.name}: {check.detail}{_stays(live)}",
                hint=f"./understudy logs {live.function} --target {self.target.name}",
            )
        return check

    @contextlib.contextmanager
    def returning(self, mover: LiveMover) -> Iterator[None]:
        """Puts aliases back that the block moved, when the block fails or the user stops it.

        Raises:
            RolloutError: the block failed; the message says what serves now.
        """
        try:
            yield
        except KeyboardInterrupt:
            told = self._back(mover.moves)
            self.report(Noticed(text=f"interrupted{told or '; no alias was moved'}"))
            raise
        except UnderstudyError as error:
            told = self._back(mover.moves)
            if not told:
                raise
            raise RolloutError(error.code, f"{error.message}{told}", hint=error.hint) from error

    def _back(self, moves: list[Moved]) -> str:
        return "".join(f"; {self._returned(one)}" for one in reversed(moves))

    def _returned(self, one: Moved) -> str:
        try:
            now = aliases.get(self.aws, one.function, one.alias)
            if now.version == one.old:
                return f"{now} serves version {one.old}, as before"
            if now.version != one.new:
                return f"{now} was moved to version {now.version} by somebody else and stays there"
            aliases.point(self.aws, now, one.old)
        except UnderstudyError as error:
            raise UnderstudyError(
                "alias-left",
                f"{one.function}:{one.alias} still serves version {one.new}: {error.message}",
                hint=f"./understudy rollout undo --target {self.target.name}",
                retryable=True,
            ) from error
        return f"{now} is back at version {one.old}"


def _stays(live: Live) -> str:
    """Why an alias does not go back."""
    if live.previous:
        return ""
    if live.is_new:
        return "; this is its first deploy: there is no version to go back to, and it stays"
    return "; nothing was moved now, so nothing goes back by itself: ./understudy rollout undo does"


def now_ms() -> int:
    """Time of day, epoch milliseconds."""
    return int(time.time() * 1000)

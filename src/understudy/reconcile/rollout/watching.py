"""Looks at a version while it has a part of the traffic: its health, and its log beside that of the other."""

from typing import TYPE_CHECKING

from understudy.reconcile import function_logs
from understudy.reconcile.aws import Aws
from understudy.reconcile.rollout import logs, plan, probes
from understudy.reconcile.rollout.model import RolloutError, Subject

if TYPE_CHECKING:
    from understudy.reconcile.function_logs import LogLine

_LATE_MS = 20_000  # lines reach CloudWatch Logs some seconds after they were written


class Watch:
    """One canary.

    Args:
        aws: where.
        subject: the function.
        version: the version that has a part of the traffic.
        other: the version that has the rest.
        began_ms: since when, epoch milliseconds.

    Attributes:
        request_id: of the last request for the version's health; empty before, and where HTTP leads nowhere.
    """

    def __init__(self, aws: Aws, subject: Subject, version: str, other: str, *, began_ms: int) -> None:
        self._aws = aws
        self._subject = subject
        self._version = version
        self._other = other
        self._began_ms = self._since_ms = began_ms
        self._group = ""
        self._lines: dict[str, LogLine] = {}
        self.request_id = ""

    def look(self) -> None:
        """Returns while the version does no worse than the other.

        Raises:
            RolloutError: it is not healthy, cannot start, or fails more often.
        """
        if self._subject.door and self._subject.is_whole:
            self.request_id = probes.health(self._aws, self._subject, self._version)
        self._read()
        new, old = (plan.seen(self._lines.values(), one) for one in (self._version, self._other))
        cause = plan.cause_to_abort(new, old)
        if cause:
            raise RolloutError(
                "canary-aborted",
                f"the canary of version {self._version} was aborted: {cause}",
                hint=f"./understudy logs {self._subject.function}, with the same --target",
            )

    def _read(self) -> None:
        self._group = self._group or logs.group_of(self._aws, self._subject.function)
        lines = function_logs.lines(self._aws, self._group, since_ms=self._since_ms)
        found = {line.event_id: line for line in lines}
        self._lines.update({name: line for name, line in found.items() if plan.counts(line)})
        newest_ms = max((line.at_ms for line in found.values()), default=self._since_ms)
        self._since_ms = max(self._since_ms, newest_ms - _LATE_MS)

"""From what a boot showed to findings: which cause, how sure, whose line; pure.

What fails here for want of the network may start on Lambda, and what a synthetic event breaks may never be
sent: both are told, neither makes an image fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.verify.boot import outcomes, requests, stacks
from understudy.verify.boot.told import found, locate
from understudy.verify.model import Severity
from understudy.verify.rules import boot as rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from understudy.verify.boot.model import Attempt, BootReport, Frame, Observed
    from understudy.verify.model import Finding, Place, Rule, Subject

_NO_HANDLER = frozenset(
    {"Runtime.HandlerNotFound", "Runtime.MalformedHandlerName", "Runtime.BuiltInModuleConflict"}
)
_NOT_STARTED = frozenset({"Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir"})
_SERVERS = re.compile(r"/(?:uvicorn|gunicorn|hypercorn|daphne|granian|waitress|werkzeug|flask)/")
_SEMAPHORE = re.compile(r"multiprocessing/(?:synchronize|context|heap|shared_memory)|SemLock|_posixshmem")
_SHOWN_AT_MOST = 10


def findings(report: BootReport, subject: Subject) -> tuple[Finding, ...]:
    """The findings of a boot, all with source ``boot``; figures are `configuration.check_measured`'s.

    Args:
        report: what it showed.
        subject: the image as the static rules see it, with the launch that was booted.
    """
    return tuple(_Telling(report, subject).findings())


@dataclass(slots=True)
class _Telling:
    """One report on its way to findings."""

    report: BootReport
    subject: Subject

    def findings(self) -> Iterator[Finding]:
        """Yields everything that the report has to say."""
        report = self.report
        if report.skipped:
            message = f"the image was not booted, only its files were checked: {report.skipped}"
            yield found(rules.SKIPPED, locate(self.subject, "boot"), message=message)
            return
        if not report.started:
            failure = self._init_failure(report.attempts[0])
            yield failure
            yield from (each for each in self._side_effects() if each.rule != failure.rule)
        else:
            yield from self._second_init()
            yield from self._network()
            yield from requests.findings(report, self.subject)
            yield from self._side_effects()

    def _init_failure(self, attempt: Attempt) -> Finding:
        rule = self._cause(attempt)
        places = self._places(attempt)
        severity = Severity.MAY_FAIL if rule is rules.NETWORK else Severity.FAILS
        return found(
            rule,
            *places,
            message=self._message(attempt, rule),
            fix=self._fix(attempt, rule),
            aws_text=_aws_text(attempt),
            severity=severity,
        )

    def _cause(self, attempt: Attempt) -> Rule:
        text = "\n".join((attempt.message, *attempt.stack))
        if attempt.timed_out:
            return self._cause_of_timeout()
        for decides, rule in _CAUSES:
            if decides(attempt.error_type, text):
                return rule
        if outcomes.needs_network(text) and self.report.network == "isolated":
            return rules.NETWORK
        if attempt.error_type == "Runtime.ExitError":
            return rules.NETWORK if self._unreachable() else rules.EXIT
        return next((rule for decides, rule in _SYSTEM_CAUSES if decides(text)), rules.INIT_ERROR)

    def _cause_of_timeout(self) -> Rule:
        seen = self.report.observations
        waiting = seen.waiting if seen is not None else ()
        argv = "/" + "/".join((*self.subject.launch.entrypoint, *self.subject.launch.command)) + "/"
        if any(_SERVERS.search(frame.path) for frame in waiting) or _SERVERS.search(argv):
            return rules.NO_NEXT
        return rules.NETWORK if self._unreachable() else rules.TIMEOUT

    def _unreachable(self) -> tuple[str, ...]:
        """What init tried to reach, and could not, because the boot is offline."""
        if self.report.network == "host":
            return ()
        seen = self.report.observations
        connects = seen.of("connect") if seen is not None else ()
        named = (item.what for item in connects if not item.what.endswith("/udp") and not self._engine(item))
        return tuple(dict.fromkeys((*named, *self.report.names_at_init)))

    def _engine(self, item: Observed) -> bool:
        return bool(self.report.endpoint) and item.what == self.report.endpoint

    def _message(self, attempt: Attempt, rule: Rule) -> str:
        handler = self.subject.launch.command[-1] if self.subject.launch.command else "the entrypoint"
        reason = attempt.message or attempt.error_type
        text = f"{handler}: {reason}"
        if attempt.chain is not None:
            chain = attempt.chain
            way = " -> ".join(map(str, chain.steps))
            text += f"; imported by {way}" if way else ""
            text += f"; tried {chain.file}" if chain.file and chain.file not in text else ""
            text += "".join(f"; because of {cause}" for cause in chain.causes)
        unreachable = self._unreachable()
        if rule is rules.NETWORK and unreachable:
            text += f"; the boot is offline and init wanted {', '.join(unreachable[:_SHOWN_AT_MOST])}"
        return text + self._standing(attempt)

    def _standing(self, attempt: Attempt) -> str:
        seen = self.report.observations
        if seen is None:
            return ""
        if attempt.timed_out and seen.waiting:
            return f"; it was still at {_way(seen.waiting)}"
        if seen.crashed:
            return f"; it crashed at {_way(seen.crashed)}"
        exits = seen.of("exit")
        return f"; {exits[-1].what} was called at {exits[-1].by}" if exits and not attempt.stack else ""

    def _fix(self, attempt: Attempt, rule: Rule) -> str:
        if rule is rules.OUT_OF_MEMORY:
            return f"set memorySize to {min(10_240, self.subject.launch.memory_mb * 2)}"
        if rule is rules.ENTRYPOINT and attempt.error_type == "Runtime.InvalidWorkingDir":
            return f"add RUN mkdir -p {self.subject.launch.working_dir} or correct WORKDIR"
        if rule is rules.IMPORT_ERROR and attempt.chain is not None and attempt.chain.file:
            return f"replace {attempt.chain.file} by a build for this image: reinstall its package inside it"
        return ""

    def _places(self, attempt: Attempt) -> tuple[Place, ...]:
        pairs: list[tuple[str, int]] = []
        if attempt.chain is not None:
            pairs = [(frame.path, frame.line) for frame in reversed(attempt.chain.steps)]
        elif attempt.stack:
            pairs = stacks.places(attempt.stack)
        elif self.report.observations is not None:
            seen = self.report.observations
            exits = seen.of("exit")
            frames = seen.waiting or seen.crashed or (exits[-1].frames if exits else ())
            pairs = [(frame.path, frame.line) for frame in frames]
        if not pairs:
            argv = (*self.subject.launch.entrypoint, *self.subject.launch.command)
            pairs = [(argv[0] if argv else "ENTRYPOINT", 0)]
        return tuple(locate(self.subject, path, line) for path, line in dict.fromkeys(pairs))

    def _second_init(self) -> Iterator[Finding]:
        if len(self.report.attempts) < 2:
            return
        first, second = self.report.attempts
        message = (
            f"init failed after {first.duration_ms / 1000:.1f} s ({first.error_type}: {first.message}) and "
            f"succeeded within the first request after {second.duration_ms / 1000:.1f} s"
        )
        yield found(rules.INIT_TWICE, *self._places(first), message=message, aws_text=_aws_text(first))

    def _network(self) -> Iterator[Finding]:
        seen = self.report.observations
        items = seen.of("connect", "lookup") if seen is not None else ()
        reached = {item.what.rpartition(":")[0] for item in items if item.kind == "connect"}
        told = [item for item in items if item.kind == "connect" or item.what not in reached]
        known = {item.what for item in told} | reached
        names = [name for name in self.report.names_at_init if name not in known]
        if not told and not names:
            return
        texts = [*(f"{item.what} ({item.by})" for item in told), *(f"{name} (native code)" for name in names)]
        certain = [
            item
            for item in told
            if item.kind == "connect" and not item.what.endswith("/udp") and not self._engine(item)
        ]
        yield found(
            rules.NETWORK,
            *self._observed_places(told),
            message=f"init wants the network: {'; '.join(texts[:_SHOWN_AT_MOST])}",
            severity=None if certain and self.report.network == "isolated" else Severity.INFO,
        )

    def _side_effects(self) -> Iterator[Finding]:
        seen = self.report.observations
        if seen is None:
            return
        for kind, rule, text in _SIDE_EFFECTS:
            items = [item for item in seen.items if item.kind == kind]
            if items:
                listed = "; ".join(f"{item.what} ({item.by})" for item in items[:_SHOWN_AT_MOST])
                more = f" and {len(items) - _SHOWN_AT_MOST} more" if len(items) > _SHOWN_AT_MOST else ""
                yield found(rule, *self._observed_places(items), message=f"{text}: {listed}{more}")

    def _observed_places(self, items: list[Observed]) -> tuple[Place, ...]:
        frames = dict.fromkeys(item.frames[0] for item in items if item.frames)
        if not frames:
            return (locate(self.subject, "init"),)
        return tuple(locate(self.subject, frame.path, frame.line) for frame in frames)


def _aws_text(attempt: Attempt) -> str:
    if attempt.timed_out:
        return f"INIT_REPORT Init Duration: {attempt.duration_ms:.2f} ms Phase: init Status: timeout"
    posted = bool(attempt.stack) or attempt.chain is not None or not _is_platforms(attempt.error_type)
    reason = attempt.message if posted else f"RequestId: ID Error: {attempt.message}"
    return f"{attempt.error_type}: {reason}"


def _is_platforms(error_type: str) -> bool:
    return error_type in _NOT_STARTED or error_type.startswith(
        ("Runtime.ExitError", "Runtime.OutOfMemory", "Extension.")
    )


def _way(frames: tuple[Frame, ...]) -> str:
    return " <- ".join(map(str, frames[:4]))


_CAUSES: tuple[tuple[Callable[[str, str], bool], Rule], ...] = (
    (lambda kind, _: kind in _NOT_STARTED, rules.ENTRYPOINT),
    (lambda kind, _: kind.startswith("Extension."), rules.EXTENSION),
    (lambda kind, _: kind == "Runtime.OutOfMemory", rules.OUT_OF_MEMORY),
    (lambda kind, _: kind in _NO_HANDLER, rules.HANDLER_MISSING),
    (lambda kind, _: kind == "Runtime.ImportModuleError", rules.IMPORT_ERROR),
)
_SYSTEM_CAUSES: tuple[tuple[Callable[[str], bool], Rule], ...] = (
    (lambda text: "Read-only file system" in text, rules.WRITE),
    (lambda text: bool(_SEMAPHORE.search(text)), rules.SHARED_MEMORY),
    (lambda text: "Permission denied" in text, rules.FILE_UNREADABLE),
)
_SIDE_EFFECTS = (
    ("write", rules.WRITE, "init tried to write outside /tmp and went on"),
    ("subprocess", rules.SUBPROCESS, "init starts other programs"),
    ("thread", rules.THREAD, "threads run when init is over"),
)

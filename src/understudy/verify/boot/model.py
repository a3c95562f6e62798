"""What a boot is asked to do and what it showed; pure.

The report holds observations, not judgements: `findings` turns them into findings, so that a run without
isolation, an image of another architecture and a healthy function are all told by the same value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.image.rootfs import Rootfs
    from understudy.sandbox.model import Network
    from understudy.verify.model import Launch

HandlerKind = Literal["web", "plain", "unknown"]
EventKind = Literal["web", "plain", "own"]
ObservedKind = Literal["write", "connect", "lookup", "subprocess", "exit", "thread"]
Verdict = Literal[
    "answered",
    "refused",
    "app-error",
    "function-error",
    "exit",
    "timeout",
    "out-of-memory",
    "too-large",
    "unreadable",
]
"""``refused``: the adapter wants another kind of event; ``unreadable``: the answer is no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event to send.

    Attributes:
        name: ``GET /health``, ``{}`` or the user's file.
        kind: what it stands for.
        payload: JSON.
    """

    name: str
    kind: EventKind
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BootRequest:
    """An image and how its function runs it.

    Attributes:
        rootfs: its layers, unpacked.
        launch: effective launch and limits.
        architecture: the image's, in Lambda's words.
        network: ``isolated`` reaches the Runtime API and `endpoint` only.
        endpoint: URL of the local engine, as AWS_ENDPOINT_URL; empty for none.
        events: the user's own, instead of synthetic ones.
        region: AWS_REGION.
        init_timeout_s: Lambda's 10 s; tests shorten it.
        observe: whether a second boot, with an observer in it, looks for what init does besides importing.
        stdlib: standard library of the image's Python, where it is known; looked for otherwise.
    """

    rootfs: Rootfs
    launch: Launch
    architecture: str
    network: Network = "isolated"
    endpoint: str = ""
    events: tuple[Event, ...] = ()
    region: str = "us-east-1"
    init_timeout_s: float = 10.0
    observe: bool = True
    stdlib: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A place in the image's code."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStep:
    """One import statement on the way to a failure."""

    path: str
    line: int
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} ({self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportChain:
    """How an import came to fail, which the runtime client throws away.

    Attributes:
        steps: from the handler's module down to the statement that failed.
        error: the exception at the end.
        module: what could not be imported.
        file: the extension module that the loader refused; empty otherwise.
        causes: what the exception was raised from, nearest first.
    """

    steps: tuple[ImportStep, ...]
    error: str
    module: str = ""
    file: str = ""
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One init phase.

    Attributes:
        phase: ``init``, or ``invoke`` for Lambda's second try within the first request.
        duration_ms: until ``/next`` or the failure.
        error_type: AWS's; empty when the runtime became ready.
        message: AWS's errorMessage, or the reason of an exit.
        stack: stack trace as the runtime client posted it.
        timed_out: whether the limit ended it.
        chain: imports that led to the failure, which AWS does not show.
    """

    phase: Literal["init", "invoke"]
    duration_ms: float
    error_type: str = ""
    message: str = ""
    stack: tuple[str, ...] = ()
    timed_out: bool = False
    chain: ImportChain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one event came to.

    Attributes:
        event: that was sent.
        verdict: in one word.
        duration_ms: as REPORT says it, without init.
        status_code: of a web answer; 0 for others.
        error_type: AWS's, when the function failed.
        message: of that error, or the last error line of the log for an answer of 500 and above.
        stack: stack trace of a function error.
        names: names looked up meanwhile.
        network: whether it failed for want of the network.
        log: what the function logged meanwhile, its end.
        answer: the start of the answer.
    """

    event: Event
    verdict: Verdict
    duration_ms: float
    status_code: int = 0
    error_type: str = ""
    message: str = ""
    stack: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    network: bool = False
    log: str = ""
    answer: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Something that init did besides importing.

    Attributes:
        kind: of it.
        what: path, ``host:port``, name, command line or thread.
        frames: the code that did it, innermost first, without the standard library and the runtime client.
        count: how often it did.
    """

    kind: ObservedKind
    what: str
    frames: tuple[Frame, ...] = ()
    count: int = 1

    @property
    def by(self) -> str:
        """The innermost place and the outermost, for a line of text."""
        if not self.frames:
            return "native code"
        ends = dict.fromkeys((str(self.frames[0]), str(self.frames[-1])))
        return ", from ".join(ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What the observed boot saw.

    Attributes:
        items: in the order they happened.
        waiting: where the main thread stood when init was given up, innermost first.
        crashed: where it stood when a signal ended the process.
        problem: why nothing was seen; empty when the observer ran.
    """

    items: tuple[Observed, ...] = ()
    waiting: tuple[Frame, ...] = ()
    crashed: tuple[Frame, ...] = ()
    problem: str = ""

    def of(self, *kinds: ObservedKind) -> tuple[Observed, ...]:
        """The items of these kinds."""
        return tuple(item for item in self.items if item.kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class BootReport:
    """What a boot showed.

    Attributes:
        skipped: why there was none; then everything else is empty.
        constraints: Lambda's constraints in force, and by which means.
        network: of the request.
        endpoint: of the request.
        kind: what the handler's source looks like; only ``web`` is sure.
        attempts: the init phase, and the second one where the first failed.
        outcomes: of the events, in the order they were sent.
        names_at_init: names looked up before the first event.
        observations: `None` when no observed boot was wanted.
        peak_init_mb: highest resident memory when the runtime was ready.
        peak_mb: the same at the end.
        out_of_memory: whether the memory limit ended the process.
        endpoint_down: the endpoint that was given and did not answer.
        log: the whole log of the boot.
        seconds: of everything.
        observed_seconds: what the observed boot added to that.
    """

    skipped: str = ""
    constraints: Mapping[str, str] = field(default_factory=dict)
    network: Network = "isolated"
    endpoint: str = ""
    kind: HandlerKind = "unknown"
    attempts: tuple[Attempt, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    names_at_init: tuple[str, ...] = ()
    observations: Observations | None = None
    peak_init_mb: float = 0.0
    peak_mb: float = 0.0
    out_of_memory: bool = False
    endpoint_down: str = ""
    log: str = ""
    seconds: float = 0.0
    observed_seconds: float = 0.0

    @property
    def started(self) -> bool:
        """Whether the process asked for its next invocation: the only proof that it starts."""
        return bool(self.attempts) and not self.attempts[-1].error_type

    @property
    def init_ms(self) -> float | None:
        """Duration of the init phase that succeeded."""
        return self.attempts[-1].duration_ms if self.started else None

    @property
    def answers(self) -> tuple[Outcome, ...]:
        """The outcomes without events that only asked which kind the function wants."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict != "refused")

    @property
    def first_request_ms(self) -> float | None:
        """The first event that the function took; `None` when it failed for want of the network."""
        first = self.answers[0] if self.answers else None
        return first.duration_ms if first is not None and not first.network else None

    @property
    def second_request_ms(self) -> float | None:
        """The first event that was sent again, its second answer: warm."""
        seen: set[str] = set()
        for outcome in self.answers:
            if outcome.event.name in seen:
                return outcome.duration_ms
            seen.add(outcome.event.name)
        return None

"""What a watched cold start told, and what follows from it; pure.

Times are milliseconds unless the name says otherwise. A watched run says where the time goes and is never a
headline figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

SpanKind = Literal["import", "client", "call", "model", "lifespan", "step", "network"]
Rule = Literal[
    "bytecode",
    "lazy-import",
    "unused-client",
    "client-per-request",
    "lifespan-per-request",
    "defer-build",
    "drop",
    "snapstart",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time in the image's process.

    Attributes:
        kind: what.
        name: module, service, operation or class.
        parent: number of the span around it; -1 for none.
        begin_ms: since exec.
        end_ms: since exec.
        path: file of the statement that asked for it; empty when unknown.
        line: in that file.
        compiled_ms: of it, making bytecode that the image lacks.
        linked_ms: of it, loading a shared library.
    """

    kind: SpanKind
    name: str
    parent: int
    begin_ms: float
    end_ms: float
    path: str = ""
    line: int = 0
    compiled_ms: float = 0.0
    linked_ms: float = 0.0

    @property
    def ms(self) -> float:
        """How long, with what lies inside."""
        return self.end_ms - self.begin_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one instrumented run told.

    Attributes:
        spans: by number.
        python_ms: when the interpreter was up, since exec.
        next_ms: when each ``/next`` was asked for, since exec.
        used: modules whose code the third request ran.
    """

    spans: tuple[Span, ...]
    python_ms: float
    next_ms: tuple[float, ...]
    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A named stretch of the way from exec to ``/next``."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCost:
    """What loading one module cost.

    Attributes:
        name: of the module.
        self_ms: without what it imported.
        total_ms: with it.
        imported_by: ``file:line`` of the statement that asked first.
        distribution: the distribution it belongs to, the standard library, or your code.
        compiled_ms: of `self_ms`, making bytecode.
    """

    name: str
    self_ms: float
    total_ms: float
    imported_by: str
    distribution: str
    compiled_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that a request spent time on.

    Attributes:
        kind: what.
        name: of it.
        depth: how many steps it lies within.
        ms: with what lies inside.
        self_ms: without.
    """

    kind: SpanKind
    name: str
    depth: int
    ms: float
    self_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where the time of one instrumented cold start went.

    Attributes:
        init_ms: of the instrumented run.
        phases: from exec to ``/next``, without gaps.
        named_share: part of the time that has a name other than "other".
        modules: dearest first.
        distributions: name -> self time of its modules, dearest first.
        clients: AWS clients that were made, in order.
        first_request: what the first request spent time on, each below what it lies in.
        network: connections and look-ups before ``/next``, each with the statement that asked.
        models_ms: pydantic models built before ``/next``.
        models: how many.
        compiled_ms: bytecode made before ``/next``, because the image has none that is valid.
        linked_ms: shared libraries loaded before ``/next``.
        spans: everything before ``/next``, by number; a parent comes before what is inside it.
    """

    init_ms: float
    phases: tuple[Phase, ...]
    named_share: float
    modules: tuple[ModuleCost, ...]
    distributions: Mapping[str, float]
    clients: tuple[Span, ...] = ()
    first_request: tuple[Step, ...] = ()
    network: tuple[str, ...] = ()
    models_ms: float = 0.0
    models: int = 0
    compiled_ms: float = 0.0
    linked_ms: float = 0.0
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One change.

    Attributes:
        rule: kind of change.
        what: what is the matter, with its size.
        fix: an edit or a command.
        saves_ms: of a cold start, or of each request where `per_request`; `None` where nothing here can tell.
        per_request: whether every request pays.
        where: ``file:line`` to edit; empty when there is no one place.
        subject: module, service, class or distribution that it is about.
        saves_bytes: of the image, where it makes that smaller and nothing faster.
    """

    rule: Rule
    what: str
    fix: str
    saves_ms: float | None
    per_request: bool = False
    where: str = ""
    subject: str = ""
    saves_bytes: int = 0

    @property
    def gain(self) -> str:
        """What it saves, in words."""
        if self.saves_bytes:
            return f"{self.saves_bytes / 1e6:.1f} MB of the image"
        if self.saves_ms is None:
            return "for information"
        return f"{self.saves_ms:.0f} ms{' per request' if self.per_request else ''}"

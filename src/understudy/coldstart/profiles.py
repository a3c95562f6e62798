"""From a recording to where the time went; pure.

The way from exec to ``/next`` is cut into phases without gaps: what no span covers is the runtime client's
own, or has no name and is called so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from understudy.coldstart.watched import ModuleCost, Phase, Profile, Recording, Span, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from understudy.coldstart.owners import Owners

OTHER = "other"


def profile(recording: Recording, *, handler: str, owners: Owners) -> Profile:
    """What one watched cold start was spent on.

    Args:
        recording: of it; it reached ``/next``.
        handler: module that the runtime client imports for the function; empty when unknown.
        owners: whose the modules are.
    """
    ends = recording.next_ms[0]
    spans = recording.spans
    before = [number for number, span in enumerate(spans) if span.begin_ms < ends]
    inside = _inside(spans)
    modules = sorted(
        (_module(spans, number, inside, owners) for number in before if spans[number].kind == "import"),
        key=lambda one: -one.self_ms,
    )
    distributions: dict[str, float] = defaultdict(float)
    for one in modules:
        distributions[one.distribution] += one.self_ms
    clients = tuple(spans[number] for number in before if spans[number].kind == "client")
    models = [spans[number] for number in before if spans[number].kind == "model"]
    phases = _phases(recording, handler)
    unnamed = sum(phase.ms for phase in phases if phase.name == OTHER)
    return Profile(
        init_ms=ends,
        phases=phases,
        named_share=1 - unnamed / ends,
        modules=tuple(modules),
        distributions=dict(sorted(distributions.items(), key=lambda item: -item[1])),
        clients=clients,
        first_request=_first_request(recording),
        network=tuple(
            f"{spans[number].name} ({spans[number].path}:{spans[number].line})"
            for number in before
            if spans[number].kind == "network"
        ),
        models_ms=sum(one.ms for one in models),
        models=len(models),
        compiled_ms=sum(spans[number].compiled_ms for number in before),
        linked_ms=sum(spans[number].linked_ms for number in before),
        # Numbers stay: what begins before `/next` was begun before everything later.
        spans=tuple(spans[number] for number in before),
    )


def _inside(spans: Iterable[Span]) -> dict[int, float]:
    """Time of the spans directly inside each span, by its number."""
    found: dict[int, float] = defaultdict(float)
    for span in spans:
        found[span.parent] += span.ms
    return found


def _module(spans: tuple[Span, ...], number: int, inside: dict[int, float], owners: Owners) -> ModuleCost:
    span = spans[number]
    return ModuleCost(
        name=span.name,
        self_ms=max(0.0, span.ms - inside.get(number, 0.0)),
        total_ms=span.ms,
        imported_by=f"{span.path}:{span.line}" if span.path else "",
        distribution=owners.of_module(span.name),
        compiled_ms=span.compiled_ms,
    )


def _phases(recording: Recording, handler: str) -> tuple[Phase, ...]:
    """Exec, interpreter, runtime client, the handler's imports, and the runtime client until ``/next``."""
    ends = recording.next_ms[0]
    top = [span for span in recording.spans if span.parent == -1 and span.begin_ms < ends]
    found = [Phase(name="entrypoint until Python runs", ms=recording.python_ms)]
    wanted = handler.replace("/", ".")
    user = [span for span in top if wanted and span.name in {wanted, wanted.partition(".")[0]}]
    begun = user[0].begin_ms if user else ends
    own = sum(span.ms for span in top if span.begin_ms < begun and span not in user)
    found.append(Phase(name="runtime client: imports", ms=own))
    found.append(Phase(name="runtime client: own work", ms=begun - recording.python_ms - own))
    if user:
        last = max(span.end_ms for span in user)
        found.append(Phase(name=f"import of {handler}", ms=last - begun))
        found.append(Phase(name="runtime client: until /next", ms=ends - last))
    return tuple(found)


def _first_request(recording: Recording) -> tuple[Step, ...]:
    """What happened between the first and the second ``/next``; imports only as deep as somebody asked."""
    if len(recording.next_ms) < 2:
        return ()
    begins, ends = recording.next_ms[0], recording.next_ms[1]
    spans, inside = recording.spans, _inside(recording.spans)
    depth: dict[int, int] = {}
    found: list[Step] = []
    for number, span in enumerate(spans):
        if not begins <= span.begin_ms < ends:
            continue
        within = depth.get(span.parent)
        if within is not None and spans[span.parent].kind == "import":
            continue
        depth[number] = 0 if within is None else within + 1
        self_ms = max(0.0, span.ms - inside.get(number, 0.0))
        step = Step(kind=span.kind, name=span.name, depth=depth[number], ms=span.ms, self_ms=self_ms)
        found.append(step)
    return tuple(found)

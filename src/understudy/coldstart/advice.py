"""What would make a cold start shorter, and by how much; pure.

Each saving is computed from this image's own recording. What every request pays comes first, then what a cold
start pays, dearest first, then what only makes the image larger, and last what this machine cannot measure.
Nothing is suggested that saves less than a millisecond, or a hundredth of init, or a block of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.coldstart import snapstart
from understudy.coldstart.touched import BLOCK_BYTES
from understudy.coldstart.watched import Suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from understudy.coldstart.leftovers import Leftover
    from understudy.coldstart.owners import Owners
    from understudy.coldstart.snapstart import Eligibility
    from understudy.coldstart.watched import Profile, Recording, Span

_LEAST_MS = 1.0
_LEAST_SHARE = 0.01
_IMPORTS_AT_MOST = 3
_LEFTOVERS_AT_MOST = 3


def suggestions(
    recording: Recording,
    profile: Profile,
    *,
    owners: Owners,
    leftovers: Sequence[Leftover] = (),
    eligibility: Eligibility | None = None,
    event: str = "the event",
) -> tuple[Suggestion, ...]:
    """What to change, the most worthwhile first.

    Args:
        recording: of a watched cold start with at least two requests.
        profile: of the same recording.
        owners: whose the modules are; imports are judged where the user's own code asks for them.
        leftovers: distributions that the requests left alone, the largest first.
        eligibility: for SnapStart; `None` says nothing about it.
        event: that was sent, in words.
    """
    found = [(one.saves_ms or 0.0, one) for rule in _RULES for one in rule(recording, profile, owners)]
    least = max(_LEAST_MS, _LEAST_SHARE * profile.init_ms)
    worth = [item for item in found if item[0] >= (_LEAST_MS if item[1].per_request else least)]
    worth.sort(key=lambda item: (not item[1].per_request, -item[0]))
    large = [_leftover(one, event) for one in leftovers if one.size_bytes >= BLOCK_BYTES]
    informing = [snapstart.suggestion(eligibility)] if eligibility else []
    return (*(one for _, one in worth), *large[:_LEFTOVERS_AT_MOST], *informing)


def _leftover(found: Leftover, event: str) -> Suggestion:
    """No time is saved: what is not opened costs none here, and Lambda does not fetch its blocks."""
    along = f" (and {', '.join(found.along)}, which it alone requires)" if found.along else ""
    return Suggestion(
        rule="drop",
        what=f"nothing of {found.name}{along} was opened in a start and two requests ({event}), and your "
        "code does not name it: without it the image is smaller, the start no faster",
        fix=f"take {found.name} out of the requirements, unless another request, a plugin or a tool needs "
        f"it; this command with --what-if drop:{found.name} tries that",
        saves_ms=0.0,
        subject=found.name,
        saves_bytes=found.size_bytes,
    )


def _bytecode(recording: Recording, profile: Profile, owners: Owners) -> Iterator[Suggestion]:  # noqa: ARG001
    names = [one.name for one in profile.modules if one.compiled_ms]
    if names:
        yield Suggestion(
            rule="bytecode",
            what=f"{len(names)} modules are compiled at every cold start: the image has no valid bytecode",
            fix="RUN python3 -m compileall -q --invalidation-mode unchecked-hash <folders> in the Dockerfile",
            saves_ms=profile.compiled_ms,
            subject=", ".join(names[:3]),
        )


def _clients(recording: Recording, profile: Profile, owners: Owners) -> Iterator[Suggestion]:  # noqa: ARG001
    """Clients that a request makes though an earlier one made them."""
    for span in _in_second_request(recording, "client"):
        yield Suggestion(
            rule="client-per-request",
            what=f"a client of {span.name} is made for every request",
            fix="make it once, at module level or behind functools.cache",
            saves_ms=span.ms,
            per_request=True,
            where=_where(span),
            subject=span.name,
        )


def _lifespan(recording: Recording, profile: Profile, owners: Owners) -> Iterator[Suggestion]:  # noqa: ARG001
    spans = list(_in_second_request(recording, "lifespan"))
    if spans:
        yield Suggestion(
            rule="lifespan-per-request",
            what="the application's lifespan runs for every request: Mangum starts it with each event",
            fix='write Mangum(app, lifespan="off") and do its work at import, or once behind functools.cache',
            saves_ms=sum(span.ms for span in spans),
            per_request=True,
            subject="lifespan",
        )


def _unused_clients(recording: Recording, profile: Profile, owners: Owners) -> Iterator[Suggestion]:  # noqa: ARG001
    """Clients made before ``/next`` whose service the requests never call."""
    called = {span.name.partition(".")[0] for span in recording.spans if span.kind == "call"}
    for span in profile.clients:
        if span.name not in called:
            yield Suggestion(
                rule="unused-client",
                what=f"a client of {span.name} is made before the first request, which does not call it",
                fix="make it where it is first used, behind functools.cache",
                saves_ms=span.ms,
                where=_where(span),
                subject=span.name,
            )


def _imports(recording: Recording, profile: Profile, owners: Owners) -> Iterator[Suggestion]:  # noqa: ARG001
    """What the user's own code imports before ``/next`` although the request runs nothing of it."""
    spared, needed = _spared(recording), _needed(recording, owners)
    asked = [
        (spared[number], span)
        for number, span in enumerate(recording.spans)
        if span.kind == "import"
        and span.begin_ms < recording.next_ms[0]
        and owners.is_own_file(span.path)
        and not needed[number]
    ]
    for saves_ms, span in sorted(asked, key=lambda item: -item[0])[:_IMPORTS_AT_MOST]:
        yield Suggestion(
            rule="lazy-import",
            what=f"{span.name} is imported before the first request, which does not use it",
            fix=f"import {span.name} inside the function that needs it",
            saves_ms=saves_ms,
            where=_where(span),
            subject=span.name,
        )


def _needed(recording: Recording, owners: Owners) -> list[bool]:
    """Which modules the request runs, or bring one of the same distribution along that it runs."""
    whose = [owners.of_module(span.name) for span in recording.spans]
    found = [span.name in recording.used for span in recording.spans]
    for number, span in enumerate(recording.spans):
        parent = span.parent if span.name in recording.used else -1
        while parent >= 0:
            found[parent] = found[parent] or whose[parent] == whose[number]
            parent = recording.spans[parent].parent
    return found


def _spared(recording: Recording) -> list[float]:
    """What not importing each module spares: its time but for that of modules inside which the request runs.

    Those would be imported by somebody else, with all that they bring along.
    """
    inside = [0.0] * len(recording.spans)
    found = [0.0] * len(recording.spans)
    # A span's number is larger than that of the one around it.
    for number in range(len(recording.spans) - 1, -1, -1):
        span = recording.spans[number]
        if span.name not in recording.used:
            found[number] += span.ms - inside[number]
        else:
            found[number] = 0.0
        if span.parent >= 0:
            inside[span.parent] += span.ms
            found[span.parent] += found[number]
    return found


def _models(recording: Recording, profile: Profile, owners: Owners) -> Iterator[Suggestion]:  # noqa: ARG001
    own = [
        span
        for span in recording.spans
        if span.kind == "model" and span.begin_ms < recording.next_ms[0] and owners.is_own_file(span.path)
    ]
    if own:
        yield Suggestion(
            rule="defer-build",
            what=f"{len(own)} of your pydantic models are built before the first request",
            fix="set model_config = ConfigDict(defer_build=True) on those that not every request needs",
            saves_ms=sum(span.ms for span in own),
            where=_where(max(own, key=lambda span: span.ms)),
            subject=", ".join(span.name for span in own[:3]),
        )


_RULES: tuple[Callable[[Recording, Profile, Owners], Iterator[Suggestion]], ...] = (
    _bytecode,
    _clients,
    _lifespan,
    _unused_clients,
    _imports,
    _models,
)


def _in_second_request(recording: Recording, kind: str) -> Iterator[Span]:
    if len(recording.next_ms) < 3:
        return
    begins, ends = recording.next_ms[1:3]
    yield from (span for span in recording.spans if span.kind == kind and begins <= span.begin_ms < ends)


def _where(span: Span) -> str:
    return f"{span.path}:{span.line}" if span.path else ""

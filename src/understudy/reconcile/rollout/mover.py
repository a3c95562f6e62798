"""Moves an alias to a version that was seen to work; a version that fails gets no traffic, or loses it again.

Interrupting it is safe: the alias goes back on the way out, and what a killed process leaves (weights of a
canary) the next plan finds and the next move ends.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Json
from understudy.reconcile import errors
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import text
from understudy.reconcile.model import ObservedResource
from understudy.reconcile.rollout import aliases, probes
from understudy.reconcile.rollout.model import (
    AliasState,
    Canary,
    InterruptedRolloutError,
    Moved,
    RolloutError,
    Subject,
)
from understudy.reconcile.rollout.watching import Watch

_LOOK_S = 10.0
_LOOKS = 5  # at least so many, however short the canary is


@dataclass(slots=True, kw_only=True)
class LiveMover:
    """Moves aliases of one deploy; what `apply` takes as its mover.

    Attributes:
        subjects: what each function should run, by its name.
        canary: a part of the traffic first.
        stop: set when the user wants it to end.
        say: told what happens, from several threads.
        now_ms: time of day, epoch milliseconds.
        moves: what was moved so far.
        probed: request id of the last probe, by function.
    """

    subjects: Mapping[str, Subject]
    canary: Canary | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    say: Callable[[str], None] = lambda _: None
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000)
    moves: list[Moved] = field(default_factory=list)
    probed: dict[str, str] = field(default_factory=dict)

    def move(self, aws: Aws, desired: DesiredResource, observed: ObservedResource) -> None:
        """Returns once the alias points where its manifest says.

        Raises:
            RolloutError: the version does not work; the alias is where it was.
            InterruptedRolloutError: the user stopped it; the alias is where it was.
        """
        before = aliases.get(aws, text(observed.spec, "functionName"), text(desired.spec, "name"))
        self.to(
            aws, before, text(desired.spec, "functionVersion"), _weights(desired.spec.get("routingConfig"))
        )

    def to(
        self, aws: Aws, before: AliasState, version: str, weights: Mapping[str, float] | None = None
    ) -> None:
        """As `move`, for an alias that was read and a version."""
        wanted = dict(weights or {})
        if before.weights and dict(before.weights) != wanted:
            self.say(f"{before}: the canary of version {', '.join(before.weights)} ends")
            before = aliases.point(aws, before, before.version)
        if before.version != version:
            before = self._proved(aws, before, version)
        elif dict(before.weights) == wanted:
            return
        old = before.version
        move = Moved(function=before.function, alias=before.alias, old=old, new=version)
        if old != version and move not in self.moves:
            # Before the write: one whose answer is lost has to be put back as well.
            self.moves.append(move)
        aliases.point(aws, before, version, wanted)
        if old != version:
            self.say(f"{before}: version {old} -> {version}")

    def _proved(self, aws: Aws, before: AliasState, version: str) -> AliasState:
        """The alias, where it was, once the version works: by itself, and with a part of the traffic."""
        subject = self.subjects.get(before.function)
        if subject is None:
            return before
        began_ms = self.now_ms()
        try:
            self.probed[before.function] = probes.check(aws, subject, version)
            self.say(f"{before}: version {version} runs {subject.digest}")
            return self._canary(aws, before, subject, version, began_ms) if self.canary else before
        except RolloutError as error:
            raise RolloutError(
                error.code,
                f"{error.message}; {before} still serves version {before.version}",
                hint=error.hint,
            ) from error

    def _canary(
        self, aws: Aws, before: AliasState, subject: Subject, version: str, began_ms: int
    ) -> AliasState:
        if self.canary is None:
            raise TypeError("a canary without a share")
        shifted = aliases.point(aws, before, before.version, {version: self.canary.share})
        self.say(f"{before}: {self.canary.share:.0%} to version {version} for {self.canary.seconds:g} s")
        passed = False
        try:
            self._watch(aws, before, subject, version, began_ms)
            passed = True
        finally:
            if not passed:
                shifted = _returned(aws, shifted)
        return shifted

    def _watch(self, aws: Aws, before: AliasState, subject: Subject, version: str, began_ms: int) -> None:
        """Returns after the canary's time.

        Raises:
            RolloutError: the version fails more often than the one beside it.
            InterruptedRolloutError: the user stopped it.
        """
        if self.canary is None:
            raise TypeError("a canary without a time")
        watch = Watch(aws, subject, version, before.version, began_ms=began_ms)
        unseen: UnderstudyError | None = None
        deadline = aws.clock.now() + self.canary.seconds
        while (left := deadline - aws.clock.now()) > 0:
            self._pause(aws, before, min(_LOOK_S, self.canary.seconds / _LOOKS, left))
            try:
                watch.look()
            except UnderstudyError as error:
                # The next look sees as much; the last one has to see.
                if not errors.is_passing(error):
                    raise
                unseen = error
            else:
                unseen = None
                self.probed[subject.function] = watch.request_id
        if unseen is not None:
            raise unseen

    def _pause(self, aws: Aws, before: AliasState, seconds: float) -> None:
        end = aws.clock.now() + seconds
        while (left := end - aws.clock.now()) > 0:
            if self.stop.is_set():
                raise InterruptedRolloutError(
                    "rollout-interrupted",
                    f"interrupted; {before} serves version {before.version}",
                    hint="run the same command again",
                )
            aws.clock.sleep(min(1.0, left))


def _returned(aws: Aws, shifted: AliasState) -> AliasState:
    """The alias without weights, whatever else went wrong; one that cannot be reached is told."""
    try:
        return aliases.point(aws, shifted, shifted.version)
    except UnderstudyError as error:
        told = f"{shifted} still sends a part of the traffic to version {', '.join(shifted.weights)}"
        raise UnderstudyError(
            "canary-left",
            f"{told}: {error.message}",
            hint="./understudy rollout undo, with the same --target",
            retryable=True,
        ) from error


def _weights(routing: Json) -> dict[str, float]:
    found = routing.get("additionalVersionWeights") if isinstance(routing, Mapping) else None
    weights = found if isinstance(found, Mapping) else {}
    return {
        str(version): float(share) for version, share in weights.items() if isinstance(share, int | float)
    }

"""Brings one resource to its desired state at an AWS that cuts off, repeats and lags behind itself.

Write, and on a failure that passes, look and decide again: what was asked for may be there although no answer
came, so nothing is created twice. A write counts as done only once AWS reads back what was written. It never
guesses: what AWS does not show within the time is an error that says so.
"""

import random
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, ResourceKey
from understudy.reconcile import adoption, clock, errors, managers, observe, redact
from understudy.reconcile import plan as planner
from understudy.reconcile.aws import Aws
from understudy.reconcile.manager import Mover, ResourceManager
from understudy.reconcile.model import Action, Change, ObservedResource, Plan, Verb

_BUDGET_S = 60.0
_LOOK_S = 15.0
# How long what was created without an answer may stay out of sight before it is created again.
_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 4.0)
_RIVALRY_S = (4.0, 8.0)
# Ids of the API that something without a name hangs below.
_ABOVE = ("apiID", "restAPIID")
_MOVES = frozenset({"functionVersion", "routingConfig"})


class Converger:
    """Carries actions out.

    Args:
        aws: where.
        found: the resources as they are; kept up to date, from several threads.
        mover: moves an existing alias to another version; without one the alias is simply updated.
    """

    def __init__(
        self, aws: Aws, found: MutableMapping[ResourceKey, ObservedResource], mover: Mover | None = None
    ) -> None:
        self._aws = aws
        self._found = found
        self._mover = mover

    def carry_out(self, action: Action) -> Verb:
        """What was done; a planned update may turn out unchanged.

        Raises:
            UnderstudyError: AWS refused, or does not show what it accepted.
        """
        if action.desired is None:
            raise TypeError(f"{action.verb} of {action.key} has no manifest")
        verb, ids = self._written(action, action.desired)
        if verb == "delete":
            self._gone(action, action.desired)
        elif verb != "unchanged" or action.key not in self._found:
            self._seen(action.desired, ids)
        return verb

    def _written(self, action: Action, desired: DesiredResource) -> tuple[Verb, Mapping[str, str]]:
        """What was written, and the ids that AWS chose."""
        deadline = self._aws.clock.now() + _BUDGET_S
        observed, is_again = action.observed, False
        while True:
            try:
                if is_again:
                    observed = self._looked(desired, until_gone=action.verb == "delete")
                verb, ids = self._write(action, desired, observed)
            except UnderstudyError as exc:
                if not errors.is_passing(exc) or self._aws.clock.now() >= deadline:
                    raise
                is_again = True
            else:
                return action.verb if is_again else verb, ids

    def _looked(self, desired: DesiredResource, *, until_gone: bool) -> ObservedResource | None:
        """The resource after a failure; None once it was out of sight for long enough to be absent."""
        for pause in _PAUSES_S:
            self._aws.clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            found = observe.resource(self._aws, desired, self._found)
            if found is not None or until_gone:
                return found
        return None

    def _write(
        self, action: Action, desired: DesiredResource, observed: ObservedResource | None
    ) -> tuple[Verb, Mapping[str, str]]:
        manager = managers.of(action.key.kind)
        if action.verb == "delete":
            if observed is not None:
                manager.delete(self._aws, observed)
            return "delete", {}
        if observed is None and manager.unnamed:
            # Long may have passed since the plan, and AWS would not mind a second one.
            observed = observe.resource(self._aws, desired, self._found)
        if observed is not None and action.observed is None and adoption.is_foreign(desired, observed):
            # The plan that was checked said that there was nothing.
            adoption.check(Plan(actions=(replace(action, foreign=True, reason=adoption.whose(observed)),)))
        # What was unknown while planning is known now, and may turn out to be what is there already.
        now = planner.decide(observe.fill(desired, self._found), observed)
        filled = now.desired or desired
        if now.verb == "wait":
            manager.settle(self._aws, filled)
        elif now.verb == "create":
            return "create", self._created(manager, self._guarded(filled))
        elif now.verb == "update" and observed:
            self._update(filled, observed, now.changes)
        elif now.verb == "replace" and observed:
            return "replace", self._replace(now, filled, observed)
        return now.verb, {}

    def _guarded(self, desired: DesiredResource) -> DesiredResource:
        """A version that follows its function is published of what was seen there, or not at all."""
        if not desired.auto_publish:
            return desired
        function = next((self._found[key] for key in desired.dependencies if key.kind == "Function"), None)
        status = function.status if function else {}
        guards = {name: status[name] for name in ("codeSHA256", "revisionID") if name in status}
        return replace(desired, spec={**guards, **desired.spec})

    def _update(
        self, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        is_move = desired.key.kind == "Alias" and self._mover is not None
        moves = [change for change in changes if is_move and change.field in _MOVES]
        others = [change for change in changes if change not in moves]
        if others:
            managers.of(desired.key.kind).update(self._aws, desired, observed, others)
        if moves and self._mover:
            self._mover.move(self._aws, desired, observed)

    def _replace(
        self, action: Action, desired: DesiredResource, observed: ObservedResource
    ) -> Mapping[str, str]:
        manager = managers.of(action.key.kind)
        if manager.holds_data:
            raise UnderstudyError(
                "replace-data",
                f"{action.reason}; replacing {action.key} would delete what it holds",
                hint="move the data to a new resource with another name, then remove this one",
                where=desired.where,
            )
        manager.delete(self._aws, observed)
        return self._created(manager, desired)

    def _created(self, manager: ResourceManager, desired: DesiredResource) -> Mapping[str, str]:
        """The ids of what was created; what somebody else created at the same time stays alone (0055)."""
        ids = manager.create(self._aws, desired) or {}
        if not manager.unnamed:
            return ids

        def alone() -> bool | None:
            return None if manager.rivals(self._aws, desired, ids) else True

        try:
            # What was deleted may be listed for a while, and of two rivals one gives up first.
            patience_s = random.uniform(*_RIVALRY_S)  # noqa: S311 - jitter, no secret
            clock.until(alone, what=f"{desired.key} being alone", clock=self._aws.clock, budget_s=patience_s)
        except UnderstudyError as exc:
            if exc.code != "wait-timeout":
                raise
            parents = {name: str(desired.spec[name]) for name in _ABOVE if name in desired.spec}
            status = {**parents, **ids}
            manager.delete(self._aws, ObservedResource(key=desired.key, spec=desired.spec, status=status))
            raise UnderstudyError(
                "apply-concurrent",
                f"{desired.key} was created by somebody else at the same time; this one was taken back",
                hint="run the same command again once the other one is done",
                retryable=True,
            ) from exc
        return ids

    def _seen(self, desired: DesiredResource, ids: Mapping[str, str]) -> None:
        """Waits until what was written reads back, for those that depend on it."""
        last: list[ObservedResource] = []

        def probe() -> ObservedResource | None:
            found = self._glimpse(desired)
            if found is None or not ids.items() <= found.status.items():
                return None
            last[:] = [found]
            return None if self._differs(desired, found) else found

        try:
            self._found[desired.key] = clock.until(
                probe, what=f"{desired.key} being seen", clock=self._aws.clock, budget_s=_LOOK_S
            )
        except UnderstudyError as exc:
            if exc.code != "wait-timeout":
                raise
            raise self._unseen(desired, last) from exc

    def _glimpse(self, desired: DesiredResource) -> ObservedResource | None:
        """The resource, where all of it can be read."""
        try:
            return observe.resource(self._aws, desired, self._found)
        except errors.AwsError as exc:
            if exc.aws_code in errors.ABSENT:
                return None
            raise
        except errors.AmbiguousError:
            # A rival that is about to take its own back.
            return None

    def _differs(self, desired: DesiredResource, found: ObservedResource) -> tuple[Change, ...]:
        known = {**self._found, desired.key: found}
        return planner.decide(observe.fill(desired, known), found).changes

    def _unseen(self, desired: DesiredResource, last: Sequence[ObservedResource]) -> UnderstudyError:
        if not last and desired.auto_publish:
            return UnderstudyError(
                "function-changed",
                f"{desired.key} was published, and no version holds the function as it is now: "
                "somebody else changed it meanwhile, or AWS is slow to list it",
                hint="run the same command again",
                retryable=True,
            )
        if not last:
            return UnderstudyError(
                "apply-lost",
                f"{desired.key} is not there after it was written",
                hint="run the same command again",
                retryable=True,
            )
        change = redact.change(self._differs(desired, last[0])[0])
        return UnderstudyError(
            "apply-differs",
            f"{desired.key} does not read back as it was written: {change.path} is {change.old!r}, "
            f"written was {change.new!r}",
            hint=f"run the same command again; leave {change.path} out if this endpoint does not keep it",
            where=desired.where,
        )

    def _gone(self, action: Action, desired: DesiredResource) -> None:
        """Waits until what was deleted is out of sight."""
        status = action.observed.status if action.observed else {}

        def probe() -> bool | None:
            found = self._glimpse(desired)
            return True if found is None or found.status != status else None

        clock.until(probe, what=f"deletion of {action.key}", clock=self._aws.clock, budget_s=_BUDGET_S)
        self._found.pop(action.key, None)

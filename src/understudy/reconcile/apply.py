"""Carries a plan out: dependencies first, what is independent at once.

Interrupting it is safe: every step is idempotent by identity, so the next apply observes what is there
and goes on. Two applies at a time are not: a lock file refuses the second.
"""

from collections.abc import Sequence
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, ImageBinding, ResourceKey
from understudy.reconcile import graph, lock, managers, observe
from understudy.reconcile import plan as planner
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import ApplyError
from understudy.reconcile.manager import Mover
from understudy.reconcile.model import (
    IMAGE,
    Action,
    ApplyEvent,
    ApplyReport,
    Change,
    Observed,
    ObservedResource,
    OnEvent,
    Plan,
    Pusher,
    Verb,
)

_MOVES = frozenset({"functionVersion", "routingConfig"})


def apply(
    plan: Plan,
    aws: Aws,
    on_event: OnEvent = lambda _: None,
    *,
    pusher: Pusher | None = None,
    mover: Mover | None = None,
    lock_path: Path | None = None,
) -> ApplyReport:
    """What was done. Unchanged resources are not touched: a second apply writes nothing.

    Args:
        plan: what to do.
        aws: where.
        on_event: told about each step as it happens, from several threads.
        pusher: puts images into repositories; needed when the plan has an image to push.
        mover: moves an existing alias to another version; without one the alias is simply updated.
        lock_path: refuses to run beside another apply that holds this file.

    Raises:
        ApplyError: some resources failed; its report tells what was done.
        UnderstudyError: another apply runs.
    """
    with lock.held(lock_path):
        return _Run(plan, aws, on_event, pusher, mover).run()


class _Run:
    """One apply: the state that its threads share."""

    def __init__(
        self, plan: Plan, aws: Aws, on_event: OnEvent, pusher: Pusher | None, mover: Mover | None
    ) -> None:
        self._actions = {action.key: action for action in plan.actions}
        self._images = {ResourceKey(IMAGE, image.name): image for image in plan.images}
        self._aws = aws
        self._on_event = on_event
        self._pusher = pusher
        self._mover = mover
        self._found: dict[ResourceKey, ObservedResource] = {
            action.key: action.observed for action in plan.actions if action.observed
        }

    def run(self) -> ApplyReport:
        """Does everything."""
        started = self._aws.clock.now()
        outcome = graph.run({key: action.dependencies for key, action in self._actions.items()}, self._step)
        report = ApplyReport(
            applied=outcome.results,
            observed=Observed(resources=dict(self._found)),
            duration_s=self._aws.clock.now() - started,
        )
        if outcome.failures:
            raise ApplyError(outcome.failures, report)
        return report

    def _step(self, key: ResourceKey) -> Verb:
        action = self._actions[key]
        if action.verb in ("unchanged", "retain"):
            return action.verb
        started = self._aws.clock.now()
        self._on_event(ApplyEvent(key=key, verb=action.verb, phase="started"))
        try:
            verb = self._do(action)
        except UnderstudyError as exc:
            took = self._aws.clock.now() - started
            self._on_event(
                ApplyEvent(key=key, verb=action.verb, phase="failed", duration_s=took, message=exc.message)
            )
            raise
        took = self._aws.clock.now() - started
        self._on_event(ApplyEvent(key=key, verb=verb, phase="done", duration_s=took))
        return verb

    def _do(self, action: Action) -> Verb:
        if action.key.kind == IMAGE:
            return self._push(action, self._images[action.key])
        manager = managers.of(action.key.kind)
        if action.verb == "delete" and action.observed:
            manager.delete(self._aws, action.observed)
            self._found.pop(action.key, None)
            return "delete"
        if action.desired is None:
            raise TypeError(f"{action.verb} of {action.key} has no manifest")
        # What was unknown while planning is known now, and may turn out to be what is there already.
        now = planner.decide(observe.fill(action.desired, self._found), action.observed)
        desired = now.desired or action.desired
        verb = "create" if action.verb == "create" else now.verb
        if verb == "wait":
            manager.settle(self._aws, desired)
        elif verb == "create":
            manager.create(self._aws, desired)
        elif verb == "update" and now.observed:
            self._update(desired, now.observed, now.changes)
        elif verb == "replace":
            self._replace(now)
        if verb != "unchanged":
            self._look(action.key, action)
        return verb

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

    def _replace(self, action: Action) -> None:
        manager = managers.of(action.key.kind)
        if action.desired is None or action.observed is None:
            raise TypeError(f"replacement of {action.key} lacks a side")
        if manager.holds_data:
            raise UnderstudyError(
                "replace-data",
                f"{action.reason}; replacing {action.key} would delete what it holds",
                hint="move the data to a new resource with another name, then remove this one",
                where=action.desired.where,
            )
        manager.delete(self._aws, action.observed)
        manager.create(self._aws, action.desired)

    def _look(self, key: ResourceKey, action: Action) -> None:
        """Reads back what was written, for those that depend on it."""
        found = observe.resource(self._aws, action.desired, self._found) if action.desired else None
        if found is None:
            raise UnderstudyError(
                "apply-lost",
                f"{key} is not there after it was written",
                hint="run the same command again",
                retryable=True,
            )
        self._found[key] = found

    def _push(self, action: Action, image: ImageBinding) -> Verb:
        repository = self._found[ResourceKey("Repository", image.repository)]
        if self._pusher is None:
            raise UnderstudyError(
                "image-absent",
                f"image {image.name}@{image.digest} is not in repository {image.repository}",
                hint="./understudy push",
            )
        self._pusher.push(image, repository.status["repositoryURI"])
        self._found[action.key] = ObservedResource(
            key=action.key, spec={"digest": image.digest, "tags": list(image.tags)}
        )
        return action.verb

"""Carries a plan out: dependencies first, what is independent at once.

Interrupting it is safe: every step is idempotent by identity (`converge`), so the next apply observes what
is there and goes on. Two applies at a time are not: a lock file refuses the second.
"""

from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.manifests.model import ImageBinding, ResourceKey
from understudy.reconcile import converge, graph, lock
from understudy.reconcile.aws import Aws
from understudy.reconcile.errors import ApplyError
from understudy.reconcile.manager import Mover
from understudy.reconcile.model import (
    IMAGE,
    Action,
    ApplyEvent,
    ApplyReport,
    Observed,
    ObservedResource,
    OnEvent,
    Plan,
    Pusher,
    Verb,
)


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
        self._found: dict[ResourceKey, ObservedResource] = {
            action.key: action.observed for action in plan.actions if action.observed
        }
        self._converger = converge.Converger(aws, self._found, mover)

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
        return self._converger.carry_out(action)

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

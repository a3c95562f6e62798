"""The state of resources as `get` and `describe` show it, in the words of ACK's conditions; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from understudy.errors import UnderstudyError
from understudy.manifests.model import ResourceKey
from understudy.reconcile.model import IMAGE, Action, ApplyReport, ObservedResource, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a resource's status.

    Attributes:
        type: `Ready`, `ACK.ResourceSynced`, or why the latter does not hold: `ACK.Recoverable` where the
            same command may do it, `ACK.Terminal` where something has to be corrected first.
        status: whether it holds.
        reason: one word.
        message: what differs or is missing.
    """

    type: Literal["Ready", "ACK.ResourceSynced", "ACK.Recoverable", "ACK.Terminal"]
    status: Literal["True", "False"]
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """One resource with its conditions.

    Attributes:
        key: the resource.
        observed: as AWS has it; None when it does not exist.
        conditions: Ready and ACK.ResourceSynced, and after a failure its kind.
    """

    key: ResourceKey
    observed: ObservedResource | None
    conditions: tuple[Condition, ...]

    @property
    def ready(self) -> bool:
        """Whether the resource can be used."""
        return self.conditions[0].status == "True"

    @property
    def synced(self) -> bool:
        """Whether the resource is as its manifest says."""
        return self.conditions[1].status == "True"


def states(plan: Plan) -> Iterator[ResourceState]:
    """The state of every resource of a plan that nobody has applied yet."""
    for action in plan.actions:
        if action.key.kind != IMAGE:
            yield ResourceState(
                key=action.key, observed=action.observed, conditions=(_ready(action), _synced(action))
            )


def after(
    report: ApplyReport, failures: Mapping[ResourceKey, UnderstudyError] = MappingProxyType({})
) -> Iterator[ResourceState]:
    """The state of every resource that an apply came to; images are none."""
    for key in (*report.applied, *failures):
        if key.kind != IMAGE:
            observed = report.observed.get(key)
            held = _failed(failures[key]) if key in failures else _SYNCED
            yield ResourceState(key=key, observed=observed, conditions=held)


_SYNCED = (
    Condition(type="Ready", status="True", reason="Available"),
    Condition(type="ACK.ResourceSynced", status="True", reason="Synced"),
)


def _failed(error: UnderstudyError) -> tuple[Condition, ...]:
    kind: Literal["ACK.Recoverable", "ACK.Terminal"] = (
        "ACK.Recoverable" if error.retryable else "ACK.Terminal"
    )
    return (
        Condition(type="Ready", status="False", reason="Failed", message=error.message),
        Condition(type="ACK.ResourceSynced", status="False", reason="Failed"),
        Condition(type=kind, status="True", reason=error.code, message=error.message),
    )


def _ready(action: Action) -> Condition:
    if action.observed is None:
        return Condition(type="Ready", status="False", reason="NotFound", message="does not exist")
    if not action.observed.ready:
        return Condition(type="Ready", status="False", reason="NotReady", message=action.observed.reason)
    return Condition(type="Ready", status="True", reason="Available")


def _synced(action: Action) -> Condition:
    if action.verb in ("unchanged", "wait"):
        return Condition(type="ACK.ResourceSynced", status="True", reason="Synced")
    paths = ", ".join(change.path for change in action.changes)
    return Condition(
        type="ACK.ResourceSynced",
        status="False",
        reason="Differs",
        message=paths or action.reason or action.verb,
    )

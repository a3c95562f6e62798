"""What was observed, what is planned, and what happened: frozen data, no AWS types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from understudy.manifests.model import DesiredResource, ImageBinding, Json, JsonMap, ResourceKey

IMAGE = "Image"
"""Kind of the nodes that stand for pushing an image; no manifest kind."""

Verb = Literal["create", "update", "replace", "delete", "retain", "wait", "unchanged"]
WRITES: frozenset[Verb] = frozenset({"create", "update", "replace", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedResource:
    """One resource as AWS has it.

    Attributes:
        key: kind and handle of the document it belongs to.
        spec: what AWS says, in ACK's names; only fields that the document mentions are read.
        status: ids and states that AWS chose, in ACK's names.
        ready: whether it can be used now.
        reason: why it is not ready.
    """

    key: ResourceKey
    spec: JsonMap
    status: Mapping[str, str] = field(default_factory=dict)
    ready: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What exists of a stack; a resource that is missing here does not exist."""

    resources: Mapping[ResourceKey, ObservedResource]

    def get(self, key: ResourceKey) -> ObservedResource | None:
        """The resource as observed, or None."""
        return self.resources.get(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that differs.

    Attributes:
        path: the field, as `memorySize` or `environment.variables.X`.
        old: what AWS has; None where the field is absent.
        new: what the manifest says; None where the field goes away.
        known: False when `new` holds a value that AWS chooses during apply.
    """

    path: str
    old: Json
    new: Json
    known: bool = True

    @property
    def field(self) -> str:
        """The top-level field that the change is in."""
        return self.path.split(".")[0].split("[")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What apply does about one resource.

    Attributes:
        key: the resource.
        verb: what is done.
        changes: the fields that differ.
        reason: why, where the fields do not say it.
        desired: the document; None when the resource is deleted.
        observed: the resource as it is; None when it does not exist.
        dependencies: resources whose actions come first.
        foreign: whether it exists without the tag of the stack, which `adopt` puts on it.
    """

    key: ResourceKey
    verb: Verb
    changes: tuple[Change, ...] = ()
    reason: str = ""
    desired: DesiredResource | None = None
    observed: ObservedResource | None = None
    dependencies: tuple[ResourceKey, ...] = ()
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All actions, in an order that respects the dependencies."""

    actions: tuple[Action, ...]
    images: tuple[ImageBinding, ...] = ()

    @property
    def writes(self) -> tuple[Action, ...]:
        """The actions that change something at AWS."""
        return tuple(action for action in self.actions if action.verb in WRITES)

    def counts(self) -> Mapping[Verb, int]:
        """How many resources get each verb."""
        found: dict[Verb, int] = {}
        for action in self.actions:
            found[action.verb] = found.get(action.verb, 0) + 1
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyEvent:
    """One step of an apply, as it happens.

    Attributes:
        key: the resource.
        verb: what is done about it.
        phase: whether that starts, ended well, or failed.
        duration_s: time it took, once it ended.
        message: what went wrong, when it failed.
    """

    key: ResourceKey
    verb: Verb
    phase: Literal["started", "done", "failed"]
    duration_s: float = 0.0
    message: str = ""


OnEvent = Callable[[ApplyEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """What apply did.

    Attributes:
        applied: verb per resource as it happened; a planned update may turn out unchanged.
        observed: the resources afterwards.
        duration_s: wall time.
    """

    applied: Mapping[ResourceKey, Verb]
    observed: Observed
    duration_s: float

    @property
    def writes(self) -> tuple[ResourceKey, ...]:
        """The resources that were changed."""
        return tuple(key for key, verb in self.applied.items() if verb in WRITES)


class Pusher(Protocol):
    """Puts a built image into a repository."""

    def push(self, image: ImageBinding, repository_uri: str) -> None:
        """Returns once the repository holds the image's digest under all its tags."""
        ...


class Clock(Protocol):
    """Time, for waits and retries."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Returns after that time."""
        ...

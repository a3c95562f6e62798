"""The seam between the planner and the kinds of AWS resources."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from understudy.errors import UnderstudyError
from understudy.manifests.model import DesiredResource, Json, JsonMap
from understudy.reconcile.aws import Aws
from understudy.reconcile.model import Change, ObservedResource


class ResourceManager(Protocol):
    """Reads and writes one kind of resource.

    The documents it gets are filled: no references, no placeholders.

    Attributes:
        supported: fields that it applies; a manifest with another one is refused, never half applied.
        refused: why fields are not applied, where there is more to say than that.
        immutable: fields whose change means a new resource.
        defaults: what a field means when it is left out, where that is authoritative; None takes away
            what AWS has.
        holds_data: whether deleting the resource loses what users stored in it.
        unnamed: whether AWS would create a second one, where others have a name that is taken.
    """

    supported: ClassVar[frozenset[str]]
    refused: ClassVar[Mapping[str, str]] = {}
    immutable: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[JsonMap] = {}
    holds_data: ClassVar[bool] = False
    unnamed: ClassVar[bool] = False

    def observe(self, aws: Aws, desired: DesiredResource) -> ObservedResource | None:
        """The resource as it is, or None when there is none."""
        ...

    def create(self, aws: Aws, desired: DesiredResource) -> Mapping[str, str] | None:
        """Returns once the new resource can be used by those that depend on it.

        Where AWS chose an id, that part of the status: what is read afterwards must have it.
        """
        ...

    def update(
        self, aws: Aws, desired: DesiredResource, observed: ObservedResource, changes: Sequence[Change]
    ) -> None:
        """Returns once the changes are in effect."""
        ...

    def delete(self, aws: Aws, observed: ObservedResource) -> None:
        """Returns once the resource is gone; one that is gone already is no error."""
        ...

    def rivals(self, aws: Aws, desired: DesiredResource, ids: Mapping[str, str]) -> bool:  # noqa: ARG002 - most kinds have a name
        """Whether there are others that could be meant, beside the one with `ids` that was just created."""
        return False

    def settle(self, aws: Aws, desired: DesiredResource) -> None:  # noqa: ARG002 - most kinds have nothing to wait for
        """Returns once a resource that exists can be used."""
        return


class FixedManager(ResourceManager, Protocol):
    """A manager of a kind that never changes.

    Attributes:
        another: the field whose change means another resource.
    """

    another: ClassVar[str]

    def update(
        self,
        aws: Aws,  # noqa: ARG002 - nothing is written
        desired: DesiredResource,
        observed: ObservedResource,  # noqa: ARG002
        changes: Sequence[Change],  # noqa: ARG002
    ) -> None:
        """Refuses.

        Raises:
            UnderstudyError: always.
        """
        raise UnderstudyError(
            f"{desired.key.kind.lower()}-immutable",
            f"{desired.key} cannot change",
            hint=f"change its {self.another} for a new one",
        )


class Mover(Protocol):
    """Moves an alias that callers use from one version to another."""

    def move(self, aws: Aws, desired: DesiredResource, observed: ObservedResource) -> None:
        """Returns once the alias points where its manifest says; raises when it stays where it was."""
        ...


def text(spec: JsonMap, name: str) -> str:
    """A field that the schema made sure is a string; empty when it is absent."""
    found = spec.get(name)
    return found if isinstance(found, str) else ""


def mapping(value: Json) -> JsonMap:
    """A value that is a map; empty when it is absent."""
    return value if isinstance(value, Mapping) else {}


def items(value: Json) -> list[JsonMap]:
    """The maps in a value that is a list; none when it is absent."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def touched(changes: Sequence[Change]) -> frozenset[str]:
    """The top-level fields that changed."""
    return frozenset(change.field for change in changes)


def same_key(wanted: Json, actual: Json) -> Json:
    """The KMS key as the manifest names it when it is the one whose ARN AWS reports, else that ARN.

    Raises:
        UnderstudyError: the manifest names an alias, which says nothing about the key behind it.
    """
    if isinstance(wanted, str) and "alias/" in wanted:
        raise UnderstudyError(
            "key-alias",
            f"{wanted} is an alias, and AWS reports keys by their ARN: drift could not be told",
            hint=f"write the ARN that this prints: aws kms describe-key --key-id {wanted}",
        )
    same = isinstance(actual, str) and isinstance(wanted, str) and actual.endswith(f":key/{wanted}")
    return wanted if same else actual

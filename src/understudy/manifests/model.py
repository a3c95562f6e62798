"""The values that manifests are made of: JSON with positions, resources, and stacks of resources.

Everything here is frozen data; reading files and calling AWS happen elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = "Scalar | Sequence[Json] | Mapping[str, Json]"
JsonMap: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a value was written; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A JSON value that remembers where it was written.

    A value in a map is placed at its key, so that an error about a key points at it.
    """

    value: "Scalar | Mapping[str, Node] | tuple[Node, ...]"
    at: Position

    @property
    def entries(self) -> "Mapping[str, Node]":
        """The children of a map; empty for everything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> "tuple[Node, ...]":
        """The elements of a list; empty for everything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str | None:
        """The value of a string; None for everything else."""
        return self.value if isinstance(self.value, str) else None

    def plain(self) -> Json:
        """The same value without positions."""
        if isinstance(self.value, Mapping):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, tuple):
            return [child.plain() for child in self.value]
        return self.value

    def mapping(self) -> dict[str, Json]:
        """The same map without positions; empty when the value is no map."""
        return {key: child.plain() for key, child in self.entries.items()}


def as_map(value: Json) -> JsonMap:
    """The value, which whoever read it has checked to be a map."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} was checked to be a map when it was read")
    return value


class ResourceKey(NamedTuple):
    """What a reference names: a kind and the `metadata.name` within it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One checked ACK document, before rendering: references and placeholders are still in it."""

    key: ResourceKey
    api_version: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    spec: Node
    document: Node

    @property
    def at(self) -> Position:
        """Where the document starts."""
        return self.document.at


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBinding:
    """The built image that a placeholder `${image.NAME}` stands for.

    Attributes:
        name: the image's name in the project file.
        repository: `metadata.name` of the Repository that holds it.
        digest: digest of its image manifest.
        tags: tags that the digest carries in the repository.
    """

    name: str
    repository: str
    digest: str
    tags: tuple[str, ...] = ("latest",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredResource:
    """One resource as it should be, for one account and region.

    Attributes:
        key: kind and handle.
        spec: ACK names; every reference became its value, or a placeholder `${Kind.name.field}`
            where the value is AWS's to choose (an API's id).
        document: the ACK document to print: references are kept, known placeholders are filled.
        dependencies: resources that must exist first; kind `Image` stands for a pushed image.
        retain: whether deleting the stack keeps the resource.
        auto_publish: for a Version: whether it follows its function instead of standing still.
        release: for what follows others (a Version, a Deployment): a short name of what it is made from.
        where: file and line of the document.
    """

    key: ResourceKey
    spec: JsonMap
    document: JsonMap
    dependencies: tuple[ResourceKey, ...] = ()
    retain: bool = False
    auto_publish: bool = False
    release: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that one `apply` is about, in an order that respects the dependencies."""

    resources: tuple[DesiredResource, ...]
    images: tuple[ImageBinding, ...] = ()

    def __iter__(self) -> Iterator[DesiredResource]:
        return iter(self.resources)

    def get(self, key: ResourceKey) -> DesiredResource | None:
        """The resource of that kind and handle."""
        return next((resource for resource in self.resources if resource.key == key), None)

    def of_kind(self, kind: str) -> tuple[DesiredResource, ...]:
        """All resources of that kind, in order."""
        return tuple(resource for resource in self.resources if resource.key.kind == kind)

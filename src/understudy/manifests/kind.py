"""What a kind of ACK resource is: its group, its AWS operation, and how it departs from that operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RefField:
    """A reference that a manifest may write instead of a value.

    Attributes:
        value: path of the field it stands for.
        kind: kind of the resource it names.
        result: field of that resource it resolves to.
        many: whether it is a list of references.
        prefix: text put before the resolved value.
    """

    value: str
    kind: str
    result: str
    many: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraField:
    """A field that AWS sets by an operation of its own.

    Attributes:
        operation: that operation, or empty for a field that ACK invented.
        member: input member that the field stands for; empty means the operation's whole input.
        element: whether the field is a list of such values.
        simple: type of the field where it is no shape of AWS: `string`, or `strings` for a map of texts
            and `list` for a list of texts.
        absent: members of the value that ACK does not offer.
    """

    operation: str = ""
    member: str = ""
    element: bool = False
    simple: str = ""
    absent: frozenset[str] = frozenset()


# Fields that name what a resource hangs below.
_PARENTS = frozenset({"apiID", "functionName", "restAPIID"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: its API group, AWS operation and departures.

    Attributes:
        name: the name that plans, references and commands use; unique.
        document_kind: what a document writes as `kind:`, where another group has a kind of that name too.
        group: API group.
        service: botocore's name of the service.
        create: AWS operation whose input the spec follows.
        identity: spec field that holds the AWS name; empty where AWS invents an id.
        renames: AWS member to ACK field, where the derived name is not used.
        absent: paths of members that ACK does not offer.
        extra: fields that other operations set.
        refs: reference fields by path.
        required: fields without which neither ACK nor AWS accepts the resource.
        documents: fields whose text is JSON; compared as JSON.
        found_by: fields of spec and status that a controller finds an existing resource by; the AWS name when
            empty.
        after: kinds below the same API that must exist first, though no field names them.
    """

    name: str
    document_kind: str = ""
    group: str
    service: str
    create: str
    identity: str = ""
    renames: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    extra: Mapping[str, ExtraField] = field(default_factory=dict)
    refs: Mapping[str, RefField] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    documents: frozenset[str] = frozenset()
    found_by: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What a document writes as `kind`."""
        return self.document_kind or self.name

    @property
    def adoption(self) -> tuple[str, ...]:
        """The fields that a controller finds an existing resource by (`adoption-fields`)."""
        return self.found_by or (self.identity,)

    @property
    def parent(self) -> str:
        """The kind that it hangs below and goes with; empty where it stands alone."""
        above = (ref for ref in self.refs.values() if ref.value in _PARENTS and ref.value in self.required)
        return next((ref.kind for ref in above), "")

    @property
    def api_version(self) -> str:
        """What a document writes as `apiVersion`."""
        return f"{self.group}/v1alpha1"

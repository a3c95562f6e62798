"""The fields of each kind: ACK names, JSON types and the AWS member behind each.

Built from AWS's service models on first use (one model is some 10 ms) and kept for the process.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from understudy.manifests import kinds, models, names
from understudy.manifests.kind import ExtraField, Kind, RefField
from understudy.manifests.models import Service, Shape

JsonType = Literal["string", "integer", "number", "boolean", "object", "map", "array"]

_SCALARS: Mapping[str, JsonType] = {
    "string": "string",
    "character": "string",
    "blob": "string",
    "timestamp": "string",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
}
# Where one AWS member is another field in ACK (NOTES 2.2, row 3).
_SHAPE_RENAMES = {
    ("Grantee", "Type"): "type_",
    ("InventoryEncryption", "SSEKMS"): "sseKMS",
    ("KafkaSchemaRegistryAccessConfig", "URI"): "uri",
    ("SourceAccessConfiguration", "Type"): "type_",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a spec.

    Attributes:
        type: JSON type; `map` is an object with free keys.
        member: AWS's name; empty for fields that ACK adds (references, markers).
        members: fields of an `object`.
        element: the values of an `array` or a `map`.
        required: names that an `object` must hold, by AWS's model.
        encoding: `blob` (base64 text in JSON), `timestamp`, or empty.
        choices: the values that AWS knows for a `string`; empty where it takes any.
        bounds: smallest and largest value of an `integer`, each None where AWS states none.
    """

    type: JsonType
    member: str = ""
    members: "Mapping[str, Field]" = field(default_factory=dict)
    element: "Field | None" = None
    required: tuple[str, ...] = ()
    encoding: str = ""
    choices: tuple[str, ...] = ()
    bounds: tuple[int | None, int | None] = (None, None)


_FROM_OWNER = ("functionName", "qualifier")

_STRING = Field(type="string")
_REFERENCE = Field(
    type="object",
    members={"from": Field(type="object", members={"name": _STRING, "namespace": _STRING})},
)
_SIMPLE: Mapping[str, Field] = {
    "string": _STRING,
    "strings": Field(type="map", element=_STRING),
    "list": Field(type="array", element=_STRING),
}


@functools.cache
def spec_of(kind: str) -> Field:
    """The fields that the spec of `kind` may hold.

    Raises:
        KeyError: the kind is not in the table; callers check with `kinds.KINDS`.
    """
    entry = kinds.KINDS[kind]
    model = models.load(entry.service)
    root = _structure(model, model.input_of(entry.create), _without(entry.absent), entry.renames)
    for path, extra in entry.extra.items():
        root = _with(root, path.split("."), _extra(model, extra))
    for path, ref in entry.refs.items():
        root = _with(root, path.split("."), _reference(ref))
    return replace(root, required=_written(entry))


def _written(entry: Kind) -> tuple[str, ...]:
    """Required fields that have no reference beside them; pairs are checked on their own."""
    paired = {ref.value for ref in entry.refs.values()}
    return tuple(name for name in entry.required if name not in paired)


def _without(absent: frozenset[str]) -> "Callable[[str], frozenset[str] | None]":
    """Tells for a member: None when it is absent, or else what is absent below it."""

    def below(member: str) -> frozenset[str] | None:
        if member in absent:
            return None
        return frozenset(path[len(member) + 1 :] for path in absent if path.startswith(f"{member}."))

    return below


def _structure(
    model: Service,
    shape: Shape,
    below: Callable[[str], frozenset[str] | None],
    renames: Mapping[str, str] | None = None,
) -> Field:
    members: dict[str, Field] = {}
    field_of: dict[str, str] = {}
    for member, child in shape.members.items():
        absent = below(member)
        if absent is None:
            continue
        name = (
            (renames or {}).get(member)
            or _SHAPE_RENAMES.get((shape.name, member))
            or names.field_name(member)
        )
        field_of[member] = name
        members[name] = replace(_of_shape(model, model.shape(child), absent), member=member)
    required = tuple(field_of[member] for member in shape.required if member in field_of)
    return Field(type="object", members=members, required=required)


def _of_shape(model: Service, shape: Shape, absent: frozenset[str]) -> Field:
    match shape.type:
        case "structure":
            return _structure(model, shape, _without(absent))
        case "list":
            return Field(type="array", element=_of_shape(model, model.shape(shape.element), absent))
        case "map":
            return Field(type="map", element=_of_shape(model, model.shape(shape.element), absent))
        case scalar:
            encoding = scalar if scalar in ("blob", "timestamp") else ""
            kind = _SCALARS[scalar]
            bounds = shape.bounds if kind == "integer" else (None, None)
            return Field(type=kind, encoding=encoding, choices=shape.choices, bounds=bounds)


def _extra(model: Service, extra: ExtraField) -> Field:
    if extra.simple:
        return _SIMPLE[extra.simple]
    shape = model.input_of(extra.operation)
    for member in extra.member.split(".") if extra.member else []:
        shape = model.shape(shape.element) if shape.type == "list" else shape
        shape = model.shape(shape.members[member])
    value = _of_shape(model, shape, extra.absent)
    if not extra.member:
        # ACK fills these two from the resource they sit in (NOTES 2.2, row 4).
        value = replace(value, required=tuple(name for name in value.required if name not in _FROM_OWNER))
    last = extra.member.rpartition(".")[2]
    return Field(type="array", element=value, member=last) if extra.element else replace(value, member=last)


def _reference(ref: RefField) -> Field:
    return Field(type="array", element=_REFERENCE) if ref.many else _REFERENCE


def _with(root: Field, path: list[str], added: Field) -> Field:
    """The same fields plus one at `path`."""
    head, *rest = path
    child = _with(root.members[head], rest, added) if rest else added
    return replace(root, members={**root.members, head: child})

"""Holds a document to the names and JSON types of its kind, as strictly as the API server would.

All problems are found and returned; the caller decides when to stop.
"""

from collections.abc import Iterator, Mapping

from understudy.manifests import errors, kinds, schema
from understudy.manifests.errors import Problem
from understudy.manifests.kind import Kind, RefField
from understudy.manifests.kinds import KINDS
from understudy.manifests.model import Node
from understudy.manifests.schema import Field

_NAMED: Mapping[str, str] = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map",
    "map": "a map",
    "array": "a list",
}

_FEW = 8  # choices that a message lists


def spec(kind: Kind, node: Node) -> Iterator[Problem]:
    """The problems of a spec of that kind."""
    yield from _value(node, schema.spec_of(kind.name), "spec", frozenset(kind.refs))
    for path, ref in kind.refs.items():
        yield from _pair(kind, node, path, ref)


def text_map(node: Node, path: str) -> Iterator[Problem]:
    """The problems of a map from text to text, as labels and annotations are."""
    yield from _value(node, Field(type="map", element=Field(type="string")), path, frozenset())


def only(node: Node, path: str, valid: Mapping[str, Field]) -> Iterator[Problem]:
    """The problems of a map that may hold the `valid` names and nothing else."""
    yield from _value(node, Field(type="object", members=valid), path, frozenset())


def describe(node: Node) -> str:
    """The type of a value, as a message says it."""
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for types, text in (
        ((int, float), "a number"),
        (str, "a string"),
        (tuple, "a list"),
        (Mapping, "a map"),
    ):
        if isinstance(value, types):
            return text
    raise TypeError(type(value))


def child_path(path: str, key: str) -> str:
    """The path of an entry of the map at `path`."""
    return f"{path}.{key}" if key.replace("-", "").replace("_", "").isalnum() else f'{path}["{key}"]'


def _value(node: Node, field: Field, path: str, refs: frozenset[str]) -> Iterator[Problem]:
    if not _fits(node, field):
        yield _wrong_type(node, field, path)
        return
    if field.type == "object":
        yield from _object(node, field, path, refs)
    elif field.type == "map" and field.element:
        for key, child in node.entries.items():
            yield from _value(child, field.element, child_path(path, key), refs)
    elif field.type == "array" and field.element:
        for index, child in enumerate(node.items):
            yield from _value(child, field.element, f"{path}[{index}]", refs)
    else:
        yield from _known(node, field, path)


def _fits(node: Node, field: Field) -> bool:
    value = node.value
    match field.type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, tuple)
        case "object" | "map":
            return isinstance(value, Mapping)


def _known(node: Node, field: Field, path: str) -> Iterator[Problem]:
    """The problem of a value that is of the right type and that AWS does not take."""
    value, (low, high) = node.value, field.bounds
    expected = hint = ""
    if isinstance(value, str) and field.choices and value not in field.choices and "${" not in value:
        listed = ", ".join(field.choices)
        expected = f"one of {listed}" if len(field.choices) <= _FEW else "a value that AWS knows"
        close = errors.nearest(value, field.choices)
        hint = f"write {close}" if close else f"write one of {listed}"
    elif isinstance(value, int) and low is not None and value < low:
        expected, hint = f"at least {low}", f"write {low} or more"
    elif isinstance(value, int) and high is not None and value > high:
        expected, hint = f"at most {high}", f"write {high} or less"
    if expected:
        yield Problem(
            code="manifest-value",
            message=f"{path} is {value!r}, expected {expected}",
            hint=hint,
            at=node.at,
            path=path,
        )


def _wrong_type(node: Node, field: Field, path: str) -> Problem:
    expected = _NAMED[field.type]
    shown = "" if isinstance(node.value, Mapping | tuple) or node.value is None else f" {node.value!r}"
    return Problem(
        code="manifest-type",
        message=f"{path} is {describe(node)}{shown}, expected {expected}",
        hint=_type_hint(node, field),
        at=node.at,
        path=path,
    )


def _type_hint(node: Node, field: Field) -> str:
    if node.value is None:
        return "remove the field"
    if field.type == "string" and isinstance(node.value, int | float | bool):
        shown = str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
        return f'write "{shown}" in quotes'
    if field.type == "boolean":
        return "write true or false, without quotes"
    return f"write {_NAMED[field.type]}"


def _object(node: Node, field: Field, path: str, refs: frozenset[str]) -> Iterator[Problem]:
    for key, child in node.entries.items():
        below = child_path(path, key)
        if key not in field.members:
            yield Problem(
                code="manifest-unknown-field",
                message=f"{below} is no field of {path}",
                hint=errors.suggestion(key, field.members),
                at=child.at,
                path=below,
            )
        else:
            yield from _value(child, field.members[key], below, refs)
    given = {name for name, value in node.entries.items() if value.value is not None}
    for name in field.required:
        if name not in given and f"{name}Ref" not in given:
            yield Problem(
                code="manifest-missing-field",
                message=f"{path}.{name} is missing",
                hint=f"add {name}",
                at=node.at,
                path=path,
            )


def find(node: Node, path: str) -> Node | None:
    """The node at a dotted path, or None."""
    found: Node | None = node
    for part in path.split("."):
        found = found.entries.get(part) if found is not None else None
    return found


def _pair(kind: Kind, node: Node, path: str, ref: RefField) -> Iterator[Problem]:
    """ACK refuses a value beside its reference, and a required pair with neither."""
    value, reference = find(node, ref.value), find(node, path)
    if value is not None and reference is not None:
        yield Problem(
            code="manifest-reference-and-value",
            message=f"spec.{ref.value} is given beside spec.{path}",
            hint=f"remove {ref.value}",
            at=value.at,
            path=f"spec.{ref.value}",
        )
    if value is None and reference is None and ref.value in kind.required:
        yield Problem(
            code="manifest-missing-field",
            message=f"spec.{ref.value} is missing",
            hint=f"add {path}.from.name with the name of a {ref.kind}",
            at=node.at,
            path="spec",
        )


def kind_of(document: Node) -> Kind:
    """The kind of a document.

    Raises:
        ManifestError: no such kind.
    """
    node, version = document.entries["kind"], document.entries.get("apiVersion")
    name = node.text or ""
    found = kinds.of_document(name, (version.text or "") if version else "")
    if found is None:
        raise errors.problem(
            "manifest-unknown-kind",
            f"kind {name} is none that understudy applies",
            hint=errors.suggestion(name, {kind.kind for kind in KINDS.values()}),
            at=node.at,
            path="kind",
        )
    return found

"""Finds the fields in which a resource differs from its manifest; pure.

A field that the manifest leaves out is AWS's default and is not compared. Inside a map with free keys
(environment, tags) a key that the manifest leaves out goes away. JSON documents are compared as JSON,
sets as sets, and lists of named things by name.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from understudy.manifests import kinds, references, schema
from understudy.manifests.model import Json, JsonMap
from understudy.manifests.schema import Field
from understudy.reconcile.model import Change

# Tags under these prefixes belong to AWS, to the ACK controllers and to this tool.
SYSTEM_TAGS = ("aws:", "services.k8s.aws/", "understudy.dev/")

_NAMED_BY: Mapping[str, str] = {
    "attributeDefinitions": "attributeName",
    "globalSecondaryIndexes": "indexName",
    "localSecondaryIndexes": "indexName",
    "permissions": "statementID",
    "subscriptionFilters": "filterName",
    "tagSet": "key",
    "tags": "key",
}
_SETS = frozenset(
    [
        "allowHeaders",
        "allowMethods",
        "allowOrigins",
        "architectures",
        "authorizationScopes",
        "exposeHeaders",
        "nonKeyAttributes",
        "policies",
        "securityGroupIDs",
        "subnetIDs",
    ]
)


def changes(kind: str, desired: JsonMap, observed: JsonMap) -> tuple[Change, ...]:
    """The differences, in the order of the manifest's fields."""
    root = schema.spec_of(kind)
    documents = kinds.KINDS[kind].documents
    found: list[Change] = []
    for name, wanted in desired.items():
        found.extend(_field(name, name, root.members[name], wanted, observed.get(name), name in documents))
    return tuple(found)


def _field(
    path: str, name: str, field: Field, wanted: Json, actual: Json, document: bool
) -> Iterator[Change]:
    if document and isinstance(wanted, str):
        if not same_document(wanted, actual):
            yield _change(path, actual, wanted)
    elif field.type == "object" and isinstance(wanted, Mapping):
        below = actual if isinstance(actual, Mapping) else {}
        for key, child in wanted.items():
            yield from _field(f"{path}.{key}", key, field.members[key], child, below.get(key), document)
    elif isinstance(wanted, Mapping):
        yield from _map(path, name, field, wanted, actual, document)
    elif isinstance(wanted, list | tuple):
        yield from _list(path, name, field, wanted, actual)
    elif not _same_scalar(wanted, actual):
        yield _change(path, actual, wanted)


def _map(
    path: str, name: str, field: Field, wanted: JsonMap, actual: Json, document: bool
) -> Iterator[Change]:
    have = dict(actual) if isinstance(actual, Mapping) else {}
    for key, child in wanted.items():
        yield from _field(f"{path}.{key}", key, field.element or field, child, have.get(key), document)
    for key, child in have.items():
        if key not in wanted and not (name == "tags" and key.startswith(SYSTEM_TAGS)):
            yield Change(path=f"{path}.{key}", old=child, new=None)


def _list(path: str, name: str, field: Field, wanted: Sequence[Json], actual: Json) -> Iterator[Change]:
    have = list(actual) if isinstance(actual, list | tuple) else []
    label = _NAMED_BY.get(name)
    if label:
        yield from _named(path, name, field, (_by(label, wanted), _by(label, have)))
    elif name in _SETS:
        if sorted(map(str, wanted)) != sorted(map(str, have)):
            yield _change(path, have, wanted)
    elif len(wanted) != len(have) or any(
        any(_field(path, name, field.element or field, child, other, False))
        for child, other in zip(wanted, have, strict=True)
    ):
        yield _change(path, have, wanted)


def _named(
    path: str, name: str, field: Field, both: tuple[Mapping[str, Json], Mapping[str, Json]]
) -> Iterator[Change]:
    wanted, have = both
    for key, child in wanted.items():
        if key not in have:
            yield _change(f"{path}[{key}]", None, child)
        else:
            yield from _field(f"{path}[{key}]", name, field.element or field, child, have[key], False)
    for key, child in have.items():
        if key not in wanted and not (name in ("tags", "tagSet") and key.startswith(SYSTEM_TAGS)):
            yield Change(path=f"{path}[{key}]", old=child, new=None)


def _by(label: str, items: Sequence[Json]) -> dict[str, Json]:
    return {str(item[label]): item for item in items if isinstance(item, Mapping) and label in item}


def _same_scalar(wanted: Json, actual: Json) -> bool:
    if wanted == "" or wanted is False:
        return actual in (wanted, None)
    return wanted == actual and isinstance(wanted, bool) == isinstance(actual, bool)


def same_document(wanted: str, actual: Json) -> bool:
    """Whether two JSON texts say the same."""
    if not isinstance(actual, str):
        return False
    try:
        return _canonical(json.loads(wanted)) == _canonical(json.loads(actual))
    except ValueError:
        return wanted == actual


def dump(document: object) -> str:
    """A document of an AWS answer as text; botocore hands some over parsed already."""
    return document if isinstance(document, str) else json.dumps(document)


def _canonical(value: object) -> object:
    """The document with one-element lists written as their element, as IAM may store them."""
    if isinstance(value, dict):
        return {key: _canonical(child) for key, child in value.items()}
    if isinstance(value, list):
        items = [_canonical(child) for child in value]
        return items[0] if len(items) == 1 else items
    return value


def _change(path: str, old: Json, new: Json) -> Change:
    return Change(path=path, old=old, new=new, known=not references.unresolved(new))

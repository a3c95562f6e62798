"""Finds the fields in which a resource differs from its manifest; pure.

A field that the manifest leaves out is AWS's default and is not compared, unless its manager says what
absence means (None: the field goes away). Inside a map with free keys (environment, tags) a key that the
manifest leaves out goes away. JSON documents are compared as JSON, sets as sets, and lists of named things
by name.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

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
    "lambdaFunctionConfigurations": "id",
    "permissions": "statementID",
    "queueConfigurations": "id",
    "rules": "id",
    "subscriptionFilters": "filterName",
    "tagSet": "key",
    "tags": "key",
    "topicConfigurations": "id",
}
_SETS = frozenset(
    [
        "allowHeaders",
        "allowMethods",
        "allowOrigins",
        "allowedHeaders",
        "allowedMethods",
        "allowedOrigins",
        "architectures",
        "audience",
        "authorizationScopes",
        "binaryMediaTypes",
        "cacheKeyParameters",
        "events",
        "exposeHeaders",
        "functionResponseTypes",
        "nonKeyAttributes",
        "policies",
        "securityGroupIDs",
        "subnetIDs",
        "vpcEndpointIDs",
    ]
)
# Header names and methods mean the same in any case, and API Gateway answers in its own.
_CASELESS = frozenset(["allowHeaders", "allowMethods", "allowedHeaders", "exposeHeaders"])
# What an annotation asks for is a text, and no field of ACK.
_ANNOTATED = Field(type="string")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


def changes(kind: str, desired: JsonMap, observed: JsonMap) -> tuple[Change, ...]:
    """The differences, in the order of the manifest's fields."""
    root = schema.spec_of(kind)
    documents = kinds.KINDS[kind].documents
    found: list[Change] = []
    for name, wanted in desired.items():
        field = root.members.get(name, _ANNOTATED)
        found.extend(_field(name, name, field, wanted, observed.get(name), name in documents))
    return tuple(found)


def _field(
    path: str, name: str, field: Field, wanted: Json, actual: Json, document: bool
) -> Iterator[Change]:
    if wanted is None:
        if not _empty(actual):
            yield Change(path=path, old=actual, new=None)
    elif document and isinstance(wanted, str):
        if not same_document(wanted, actual):
            yield _change(path, actual, wanted)
    elif field.type == "object" and isinstance(wanted, Mapping):
        below = actual if isinstance(actual, Mapping) else {}
        for key, child in wanted.items():
            yield from _field(f"{path}.{key}", key, field.members[key], child, below.get(key), document)
    elif isinstance(wanted, Mapping):
        yield from _map(path, name, field, wanted, actual, document)
    elif isinstance(wanted, list | tuple):
        yield from _list(path, name, field, wanted, actual, document)
    elif not (_same_time(wanted, actual) if field.encoding == "timestamp" else _same_scalar(wanted, actual)):
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


def _list(
    path: str, name: str, field: Field, wanted: Sequence[Json], actual: Json, document: bool
) -> Iterator[Change]:
    have = list(actual) if isinstance(actual, list | tuple) else []
    label = _NAMED_BY.get(name)
    if label and len(_by(label, wanted)) == len(wanted):
        yield from _named(path, name, field, (_by(label, wanted), _by(label, have)))
    elif name in _SETS:
        fold = str.lower if name in _CASELESS else str
        if sorted(fold(str(item)) for item in wanted) != sorted(fold(str(item)) for item in have):
            yield _change(path, have, wanted)
    elif len(wanted) != len(have) or any(
        any(_field(path, name, field.element or field, child, other, document))
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


def _same_time(wanted: Json, actual: Json) -> bool:
    """Whether two ISO 8601 texts name one moment; a time without a zone is UTC, as AWS reads it."""
    try:
        one, other = (datetime.fromisoformat(str(text)) for text in (wanted, actual))
    except ValueError:
        return wanted == actual
    return _utc(one) == _utc(other)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _empty(value: Json) -> bool:
    """Whether a value says nothing: AWS answers with empty containers, zeros aside, where nothing is set."""
    if isinstance(value, Mapping):
        return all(_empty(child) for child in value.values())
    if isinstance(value, list | tuple):
        return not value
    return value is None or value == "" or value is False


def same_document(wanted: str, actual: Json) -> bool:
    """Whether two JSON texts say the same."""
    if not wanted:
        return not actual
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
    """The document with what AWS stores in other words written in one way.

    One-element lists are their element, lists are sets, numbers and booleans are text, an account is its
    root user, and everybody is `*`.
    """
    if isinstance(value, dict):
        below = {key: _canonical(child) for key, child in value.items()}
        return {key: "*" if child == {"AWS": "*"} else child for key, child in below.items()}
    if isinstance(value, list):
        items = sorted(
            (_canonical(child) for child in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
        return items[0] if len(items) == 1 else items
    if isinstance(value, str):
        root = _ROOT.fullmatch(value)
        return root[1] if root else value
    return json.dumps(value)


def _change(path: str, old: Json, new: Json) -> Change:
    return Change(path=path, old=old, new=new, known=not references.unresolved(new))

"""Patch operations, by which REST APIs are updated; pure.

Source: API Gateway API reference, "Patch Operations". A path is a JSON pointer, a value is a text whatever it
stands for; which fields there are and of what type is said per kind. An empty text takes a field away.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from understudy.engine.executeapi.store import Document
from understudy.engine.protocol import ApiError

Patch = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What may be patched of one kind.

    Attributes:
        scalars: paths of single values, such as ``/tlsConfig/insecureSkipVerification``.
        maps: paths of maps whose keys are the next part of the path.
        lists: paths of lists whose members are the next part of the path.
        valued: paths of lists whose members are the value.
    """

    scalars: Mapping[str, Callable[[str], object]]
    maps: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()


def boolean(text: str) -> bool:
    """Returns what a text says of yes and no."""
    return text.lower() == "true"


def integer(text: str) -> int:
    """Returns a text's number.

    Raises:
        ApiError: BadRequestException.
    """
    try:
        return int(text)
    except ValueError as exc:
        raise ApiError("BadRequestException", f"Invalid number specified: {text}") from exc


REST_API = Fields(
    scalars={
        "/apiKeySource": str,
        "/description": str,
        "/disableExecuteApiEndpoint": boolean,
        "/endpointConfiguration/ipAddressType": str,
        "/endpointConfiguration/types/0": str,
        "/minimumCompressionSize": integer,
        "/name": str,
        "/policy": str,
    },
    lists=frozenset({"/binaryMediaTypes"}),
)
METHOD = Fields(
    scalars={
        "/apiKeyRequired": boolean,
        "/authorizationType": str,
        "/authorizerId": str,
        "/operationName": str,
        "/requestValidatorId": str,
    },
    maps={"/requestModels": str, "/requestParameters": boolean},
    valued=frozenset({"/authorizationScopes"}),
)
INTEGRATION = Fields(
    scalars={
        "/cacheNamespace": str,
        "/connectionId": str,
        "/connectionType": str,
        "/contentHandling": str,
        "/credentials": str,
        "/httpMethod": str,
        "/passthroughBehavior": str,
        "/timeoutInMillis": integer,
        "/tlsConfig/insecureSkipVerification": boolean,
        "/uri": str,
    },
    maps={"/requestParameters": str, "/requestTemplates": str},
    lists=frozenset({"/cacheKeyParameters"}),
)
METHOD_RESPONSE = Fields(scalars={}, maps={"/responseModels": str, "/responseParameters": boolean})
INTEGRATION_RESPONSE = Fields(
    scalars={"/contentHandling": str, "/selectionPattern": str},
    maps={"/responseParameters": str, "/responseTemplates": str},
)
DEPLOYMENT = Fields(scalars={"/description": str})
STAGE = Fields(
    scalars={
        "/accessLogSettings/destinationArn": str,
        "/accessLogSettings/format": str,
        "/cacheClusterEnabled": boolean,
        "/cacheClusterSize": str,
        "/deploymentId": str,
        "/description": str,
        "/tracingEnabled": boolean,
    },
    maps={"/variables": str},
)


def applied(document: Document, patches: Sequence[Patch], fields: Fields) -> Document:
    """Returns the document with its patches, in their order.

    Raises:
        ApiError: BadRequestException, for a path or an operation that the kind does not have.
    """
    changed = copy.deepcopy(document)
    for patch in patches:
        if patch.get("op") not in ("add", "remove", "replace"):
            raise ApiError("BadRequestException", f"Invalid patch operation specified: {patch.get('op')}")
        _apply(changed, patch, fields)
    return changed


def parts_of(path: str) -> list[str]:
    """Returns the parts of a JSON pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _apply(document: Document, patch: Patch, fields: Fields) -> None:
    path, value = patch.get("path", ""), patch.get("value", "")
    removing = patch["op"] == "remove"
    if path in fields.scalars:
        put(document, parts_of(path), fields.scalars[path](value) if value and not removing else None)
        return
    if path in fields.valued:
        _member(document, path[1:], value, removing=removing)
        return
    parent, _, _ = path.rpartition("/")
    key = parts_of(path)[-1:]
    if parent in fields.maps and key:
        put(document, [parent[1:], *key], None if removing else fields.maps[parent](value))
    elif parent in fields.lists and key:
        _member(document, parent[1:], key[0], removing=removing)
    elif removing and any(known.startswith(f"{path}/") for known in (*fields.scalars, *fields.maps)):
        document.pop(path[1:], None)
    else:
        raise ApiError("BadRequestException", f"Invalid patch path {path}")


def put(document: Document, parts: Sequence[str], value: object) -> None:
    """Sets what the path `parts` leads to; None takes it away, and the map that it leaves empty."""
    first, *rest = parts
    if not rest:
        if value is None:
            document.pop(first, None)
        else:
            document[first] = value
        return
    if rest == ["0"]:
        document[first] = [value]
        return
    below: dict[str, Any] = document.get(first) or {}
    put(below, rest, value)
    put(document, [first], below or None)


def _member(document: Document, name: str, member: str, *, removing: bool) -> None:
    kept = [item for item in document.get(name) or () if item != member]
    put(document, [name], (kept if removing else [*kept, member]) or None)

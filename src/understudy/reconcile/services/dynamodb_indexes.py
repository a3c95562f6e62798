"""Global secondary indexes of a table: what may change in place, and as which update; pure."""

from typing import Any

from understudy.errors import UnderstudyError
from understudy.manifests.model import Json, JsonMap
from understudy.reconcile import convert
from understudy.reconcile.manager import items, mapping, text

_LIMITS = ("provisionedThroughput", "onDemandThroughput")


def named(spec: JsonMap) -> dict[str, JsonMap]:
    """A table's indexes by name."""
    return {text(item, "indexName"): item for item in items(spec.get("globalSecondaryIndexes"))}


def creation(definition: JsonMap) -> dict[str, Any]:
    """The update that makes an index."""
    return {"Create": convert.value("Table", "globalSecondaryIndexes", [definition])[0]}


def throughput(definition: JsonMap) -> dict[str, Any]:
    """The update that sets an index's throughput."""
    value = convert.value("Table", "globalSecondaryIndexes", [definition])[0]
    names = ("IndexName", "ProvisionedThroughput", "OnDemandThroughput")
    return {"Update": {name: value[name] for name in names if name in value}}


def throughput_differs(wanted: JsonMap, actual: JsonMap) -> bool:
    """Whether an index's throughput is another one than the manifest says."""
    return any(
        mapping(actual.get(name)).get(limit) != value
        for name in _LIMITS
        for limit, value in mapping(wanted.get(name)).items()
    )


def when_provisioned(wanted: JsonMap, observed: JsonMap) -> dict[str, Any]:
    """The indexes' throughput, which a change to provisioned billing must state in the same call."""
    if wanted.get("billingMode") != "PROVISIONED" or observed.get("billingMode") == "PROVISIONED":
        return {}
    have = named(observed)
    updates = [
        throughput(definition)
        for index, definition in named(wanted).items()
        if index in have and "provisionedThroughput" in definition
    ]
    return {"GlobalSecondaryIndexUpdates": updates} if updates else {}


def check(table: str, wanted: JsonMap, actual: JsonMap) -> None:
    """Returns when an index can become what the manifest says.

    Raises:
        UnderstudyError: it would have to be another index.
    """
    found = mapping(actual.get("projection"))
    same = wanted.get("keySchema") == actual.get("keySchema") and all(
        _sorted(found.get(name)) == _sorted(value)
        for name, value in mapping(wanted.get("projection")).items()
    )
    if not same:
        raise UnderstudyError(
            "index-immutable",
            f"index {wanted['indexName']} of table {table} cannot change its keys or its projection",
            hint="give the index a new name",
        )


def _sorted(value: Json) -> Json:
    return sorted(str(item) for item in value) if isinstance(value, list | tuple) else value

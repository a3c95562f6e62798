"""The tags that say whose a resource is; pure.

A stack puts them on everything that carries tags and stands alone. What hangs below a function or an API
belongs to whom that belongs to.
"""

from collections.abc import Mapping

from understudy.manifests import kinds, schema
from understudy.manifests.model import Json, JsonMap, ResourceKey

PREFIX = "understudy.dev/"
STACK = f"{PREFIX}stack"
RESOURCE = f"{PREFIX}resource"
RETAIN = f"{PREFIX}retain"


def tagged(key: ResourceKey, spec: JsonMap, *, project: str, retain: bool) -> JsonMap:
    """The spec with the tags of this tool; unchanged where the kind has none or hangs below another."""
    if not _path(key.kind) or kinds.KINDS[key.kind].parent:
        return spec
    own = {STACK: project, RESOURCE: f"{key.kind}.{key.name}", **({RETAIN: "true"} if retain else {})}
    return with_tags(key.kind, spec, {**tags(key.kind, spec), **own})


def tags(kind: str, spec: JsonMap) -> dict[str, str]:
    """The tags in a spec, desired or observed."""
    value: Json = spec
    for name in _path(kind):
        value = value.get(name) if isinstance(value, Mapping) else None
    return {} if value is spec else parse(value)


def with_tags(kind: str, spec: JsonMap, wanted: Mapping[str, str]) -> JsonMap:
    """The spec of a kind that has tags, with these and no others."""
    first, *below = _path(kind)
    field = schema.spec_of(kind).members[first]
    pairs = [{"key": key, "value": text} for key, text in wanted.items()]
    value: Json = dict(wanted) if field.type == "map" else pairs
    return {**spec, first: dict.fromkeys(below, value) or value}


def parse(value: Json) -> dict[str, str]:
    """Tags as a map, from a map or from a list of keys and values."""
    if isinstance(value, Mapping):
        return {key: str(text) for key, text in value.items()}
    found: dict[str, str] = {}
    for item in value if isinstance(value, list | tuple) else ():
        if isinstance(item, Mapping):
            found[str(item.get("key", ""))] = str(item.get("value", ""))
    return found


def _path(kind: str) -> tuple[str, ...]:
    """Where the kind's spec holds its tags; empty when it has none."""
    if kind == "Bucket":
        return ("tagging", "tagSet")
    return ("tags",) if "tags" in schema.spec_of(kind).members else ()

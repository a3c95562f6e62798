"""The patch operations that turn a REST API's resource into what its manifest says; pure.

REST APIs are updated by JSON patches whose values are texts. Which operation a path takes follows from the
field's type (API Gateway API reference, "Patch Operations"): a text is replaced, a map is patched key by key,
a list member by member.
"""

from collections.abc import Iterable, Iterator, Mapping

from understudy.manifests import schema
from understudy.manifests.model import Json, JsonMap
from understudy.manifests.schema import Field
from understudy.reconcile.manager import mapping

# Lists whose members are named in the path, not in the value.
_IN_PATH = frozenset({"/binaryMediaTypes", "/cacheKeyParameters"})
# Lists that hold one thing.
_SINGLE = frozenset({"/endpointConfiguration/types"})
# Where the path is not the name of the create operation's member.
_PATHS: Mapping[str, str] = {"integrationHTTPMethod": "httpMethod"}
# A stage's variables are replaced even where they are new.
_REPLACED = frozenset({"/variables"})


def operations(kind: str, desired: JsonMap, observed: JsonMap, fields: Iterable[str]) -> list[dict[str, str]]:
    """The operations for these fields, in the order of their names."""
    root = schema.spec_of(kind)
    return [
        found
        for name in sorted(fields)
        for found in _field(
            f"/{_PATHS.get(name, root.members[name].member)}",
            root.members[name],
            desired.get(name),
            observed.get(name),
        )
    ]


def _field(path: str, field: Field, wanted: Json, have: Json) -> Iterator[dict[str, str]]:
    if field.type == "map":
        yield from _map(path, mapping(wanted), mapping(have))
    elif path in _SINGLE:
        yield {"op": "replace", "path": f"{path}/0", "value": "".join(_texts(wanted))}
    elif field.type == "array":
        yield from _list(path, _texts(wanted), _texts(have))
    elif field.type == "object":
        given, there = mapping(wanted), mapping(have)
        for name, child in field.members.items():
            if given.get(name) != there.get(name) and (wanted is None or name in given):
                yield from _field(f"{path}/{child.member}", child, given.get(name), there.get(name))
    elif wanted is None and field.type == "integer":
        yield {"op": "replace", "path": path}
    else:
        nothing = False if field.type == "boolean" else ""
        yield {"op": "replace", "path": path, "value": _text(nothing if wanted is None else wanted)}


def _map(path: str, wanted: JsonMap, have: JsonMap) -> Iterator[dict[str, str]]:
    for key in sorted(have.keys() - wanted.keys()):
        yield {"op": "remove", "path": f"{path}/{_escaped(key)}"}
    for key, child in wanted.items():
        if key not in have or have[key] != child:
            op = "replace" if key in have or path in _REPLACED else "add"
            yield {"op": op, "path": f"{path}/{_escaped(key)}", "value": _text(child)}


def _list(path: str, wanted: list[str], have: list[str]) -> Iterator[dict[str, str]]:
    for op, items in (("remove", set(have) - set(wanted)), ("add", set(wanted) - set(have))):
        for item in sorted(items):
            if path in _IN_PATH:
                yield {"op": op, "path": f"{path}/{_escaped(item)}"}
            else:
                yield {"op": op, "path": path, "value": item}


def _escaped(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _texts(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []

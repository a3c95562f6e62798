"""Hypothesis strategies for values of botocore shapes, as a client may send and a service may answer them."""

from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

_MAX_DEPTH = 4
_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
# Header values are sent as Latin-1 with outer spaces lost, so they are plain printable ASCII here.
_HEADER_TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=',"'), min_size=1
)
_MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "character": _TEXT,
    "boolean": st.booleans(),
    "blob": st.binary(max_size=12),
    "timestamp": _MOMENTS,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, width=32),
    "double": st.floats(allow_nan=False),
}


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Returns values of a shape; optional members come and go, and vanish at depth."""
    if isinstance(shape, StructureShape):
        return _structures(shape, depth)
    if isinstance(shape, ListShape):
        size = 0 if depth >= _MAX_DEPTH else 2
        return st.lists(values(shape.member, depth + 1), max_size=size)
    if isinstance(shape, MapShape):
        size = 0 if depth >= _MAX_DEPTH else 2
        return st.dictionaries(values(shape.key, depth + 1), values(shape.value, depth + 1), max_size=size)
    if shape.type_name == "string" and getattr(shape, "enum", None):
        return st.sampled_from(shape.enum)
    return _SCALARS[shape.type_name]


def _member(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    location = shape.serialization.get("location")
    if location == "header" and shape.type_name == "string" and not getattr(shape, "enum", None):
        return _HEADER_TEXT
    if location == "statusCode":
        return st.integers(200, 299)
    return values(shape, depth)


def _structures(shape: StructureShape, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    required = set(shape.required_members)
    members = {
        name: _member(member, depth + 1)
        for name, member in shape.members.items()
        if name in required or depth < _MAX_DEPTH
    }
    if shape.is_tagged_union:
        return st.one_of([st.fixed_dictionaries({name: strategy}) for name, strategy in members.items()])
    return st.fixed_dictionaries(
        {name: strategy for name, strategy in members.items() if name in required},
        optional={name: strategy for name, strategy in members.items() if name not in required},
    )

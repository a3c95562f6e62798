"""Primary keys of DynamoDB tables, as far as code states them; pure.

Stated is a literal ``KeySchema=`` of a `create_table`, else a literal ``Key={...}`` of an item's operation.
Its first attribute is the partition key, as everybody writes it; nothing is guessed from less.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.targets.init.modules import Code
from understudy.targets.init.variables import Names, Value
from understudy.verify.python.constants import dotted, text

AttributeType = Literal["S", "N", "B"]
_TYPES: Mapping[str, AttributeType] = {"S": "S", "N": "N", "B": "B"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An attribute of a primary key; the first is the partition key, a second the sort key."""

    name: str
    type: AttributeType


def find(codes: Sequence[Code], names: Names) -> dict[Value, tuple[Key, ...]]:
    """Keys by the value that names their table; below the empty value where nobody can say which it is."""
    found: dict[Value, tuple[Key, ...]] = {}
    for code in codes:
        tables = dict(_tables(code, names))
        for node in ast.walk(code.tree):
            if not isinstance(node, ast.Call):
                continue
            words = {word.arg: word.value for word in node.keywords if word.arg}
            stated = _schema(words) or _item(words.get("Key"))
            if not stated:
                continue
            table = words.get("TableName")
            value = names.value(table) if table is not None else _receiver(node, tables)
            if len(found.get(value, ())) <= len(stated):
                found[value] = stated
    return found


def _tables(code: Code, names: Names) -> Iterator[tuple[str, Value]]:
    """Names that hold a table, ``users = dynamodb.Table(NAME)``, and functions that return one."""
    for node in ast.walk(code.tree):
        match node:
            case ast.Assign(targets=[target], value=ast.Call() as call):
                name = dotted(target).rpartition(".")[2]
            case ast.FunctionDef(name=name, body=[*_, ast.Return(value=ast.Call() as call)]):
                pass
            case _:
                continue
        if isinstance(call.func, ast.Attribute) and call.func.attr == "Table" and call.args:
            yield name, names.value(call.args[0])


def _receiver(node: ast.Call, tables: Mapping[str, Value]) -> Value:
    """The table that a method is called on."""
    on = node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(on, ast.Call):
        on = on.func
    name = dotted(on).rpartition(".")[2] if on is not None else ""
    return tables.get(name, Value())


def _schema(words: Mapping[str, ast.expr]) -> tuple[Key, ...]:
    """The literal ``KeySchema`` and ``AttributeDefinitions`` of a call."""
    schema, attributes = words.get("KeySchema"), words.get("AttributeDefinitions")
    types = {item.get("AttributeName"): item.get("AttributeType") for item in _dicts(attributes)}
    ordered = sorted(_dicts(schema), key=lambda item: item.get("KeyType", ""))
    return tuple(
        Key(name=item["AttributeName"], type=_TYPES.get(types.get(item["AttributeName"]) or "S", "S"))
        for item in ordered
        if item.get("AttributeName")
    )


def _dicts(node: ast.expr | None) -> list[dict[str, str]]:
    """A literal list of dicts of texts."""
    found = []
    for item in node.elts if isinstance(node, ast.List | ast.Tuple) else ():
        if isinstance(item, ast.Dict):
            pairs = zip(item.keys, item.values, strict=True)
            found.append({text(key) or "": text(value) or "" for key, value in pairs})
    return found


def _item(node: ast.expr | None) -> tuple[Key, ...]:
    """The literal ``Key={"pk": ..., "sk": ...}`` of an item's operation; the client writes types into it."""
    if not isinstance(node, ast.Dict) or not 1 <= len(node.keys) <= 2:
        return ()
    found = []
    for key, value in zip(node.keys, node.values, strict=True):
        name = text(key)
        if name is None:
            return ()
        found.append(Key(name=name, type=_type(value)))
    return tuple(found)


def _type(value: ast.expr) -> AttributeType:
    if isinstance(value, ast.Dict) and len(value.keys) == 1:
        return _TYPES.get(text(value.keys[0]) or "S", "S")
    is_number = isinstance(value, ast.Constant) and isinstance(value.value, int | float)
    return (
        "N"
        if is_number or (isinstance(value, ast.Call) and dotted(value.func) in ("int", "Decimal"))
        else "S"
    )

"""Where two JSON documents differ, as paths inside them; pure."""

import json
from collections.abc import Iterator
from dataclasses import replace

from understudy.manifests.model import Json
from understudy.reconcile import compare
from understudy.reconcile.model import Change


def expanded(change: Change) -> tuple[Change, ...]:
    """The change as one change per differing path, where both sides are JSON documents; else as it is."""
    old, new = _parsed(change.old), _parsed(change.new)
    if old is None or new is None:
        return (change,)
    found = tuple(_differences(change.path, old, new))
    return tuple(replace(one, known=change.known) for one in found) or (change,)


def _parsed(text: Json) -> Json:
    """The document in a text; None where there is none."""
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found: Json = json.loads(text)
    except ValueError:
        return None
    return found


def _differences(path: str, old: Json, new: Json) -> Iterator[Change]:
    if compare.same_document(json.dumps(new), json.dumps(old)):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(f"{path}.{key}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        before, after = _labelled(old), _labelled(new)
        for label in dict.fromkeys((*before, *after)):
            yield from _differences(f"{path}[{label}]", before.get(label), after.get(label))
    else:
        yield Change(path=path, old=old, new=new)


def _labelled(items: list[Json]) -> dict[str, Json]:
    """Statements by their Sid, rules by their priority, plain texts by themselves, the rest by position."""
    found: dict[str, Json] = {}
    for number, item in enumerate(items):
        label = str(number)
        if isinstance(item, dict):
            label = str(item.get("Sid") or item.get("rulePriority") or number)
        elif isinstance(item, str):
            label = item
        found[label if label not in found else str(number)] = item
    return found

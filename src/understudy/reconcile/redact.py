"""Hides the values of variables that are secrets by their names, wherever plans and errors become text."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from understudy.manifests.model import Json, JsonMap
from understudy.reconcile.model import Change

HIDDEN = "(hidden)"

_SECRET = re.compile(
    r"(^|\.)(variables|stageVariables)\..*(SECRET|TOKEN|PASSW|CREDENTIAL|KEY)", re.IGNORECASE
)


def value(path: str, found: Json) -> Json:
    """A value at a path of a spec, with what is secret hidden; that it is absent is told."""
    if isinstance(found, Mapping):
        return {name: value(f"{path}.{name}", child) for name, child in found.items()}
    return HIDDEN if found is not None and _SECRET.search(path) else found


def spec(found: JsonMap) -> JsonMap:
    """A spec with what is secret hidden."""
    return cast("JsonMap", value("", found))


def change(found: Change) -> Change:
    """A change with what is secret hidden on both sides."""
    return replace(found, old=value(found.path, found.old), new=value(found.path, found.new))

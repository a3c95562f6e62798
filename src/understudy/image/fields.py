"""Typed access to JSON documents that somebody else wrote.

Refuses to coerce: a field of another type is the document's fault and is named with its value.
"""

import json
from collections.abc import Mapping
from typing import Any

from understudy.errors import UnderstudyError

DOCUMENT_LIMIT_BYTES = 4 * 1024 * 1024
"""Largest manifest a registry accepts (distribution spec, "Pushing Manifests")."""


class DocumentInvalidError(UnderstudyError):
    """A manifest, index or config breaks its schema."""


class Fields:
    """Typed access to one JSON object; what has the wrong type is the document's fault."""

    def __init__(self, data: Mapping[str, Any], what: str) -> None:
        self._data = data
        self._what = what

    def text(self, name: str, *, required: bool = False) -> str:
        """Returns the text `name`, empty when absent and not `required`."""
        value = self._data.get(name)
        if value is None:
            value = ""
        if not isinstance(value, str) or (required and not value):
            raise invalid(self._what, f"field {name!r} is {shown(value)}, not a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Returns the list of texts `name`, empty when absent."""
        value = self._data.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(self._what, f"field {name!r} is {shown(value)}, not a list of texts")
        return tuple(value)

    def mapping(self, name: str, *, optional: bool = False) -> Mapping[str, Any]:
        """Returns the object `name`, empty when absent and `optional`."""
        value = self._data.get(name)
        if value is None and optional:
            return {}
        if not isinstance(value, dict):
            raise invalid(self._what, f"field {name!r} is {shown(value)}, not an object")
        return value

    def mappings(self, name: str, *, optional: bool = False) -> tuple[Mapping[str, Any], ...]:
        """Returns the list of objects `name`, empty when absent and `optional`."""
        value = self._data.get(name)
        if value is None and optional:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise invalid(self._what, f"field {name!r} is {shown(value)}, not a list of objects")
        return tuple(value)

    def number(self, name: str) -> int:
        """Returns the whole number `name`, zero when absent."""
        value = self._data.get(name)
        if value is None:
            value = 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise invalid(self._what, f"field {name!r} is {shown(value)}, not a whole number")
        return value


def document(raw: bytes, what: str) -> Mapping[str, Any]:
    """Returns the JSON object in `raw`.

    Raises:
        DocumentInvalidError: it is too large, no JSON, or no object.
    """
    if len(raw) > DOCUMENT_LIMIT_BYTES:
        raise invalid(what, f"it has {len(raw)} bytes, more than {DOCUMENT_LIMIT_BYTES}")
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise invalid(what, f"it is no JSON ({exc})") from exc
    if not isinstance(parsed, dict):
        raise invalid(what, f"it is {shown(parsed)}, not an object")
    return parsed


def shown(value: object) -> str:
    """Returns a value short enough for a message."""
    return repr(value)[:60]


def invalid(what: str, reason: str) -> DocumentInvalidError:
    """Returns the error that names `what` and `reason`."""
    return DocumentInvalidError(
        "image-document-invalid",
        f"{what} is invalid: {reason}",
        hint="build and push the image again; `understudy build` writes documents that Lambda accepts",
    )

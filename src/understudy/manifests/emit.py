"""Writes documents as YAML that every reader takes for the same values.

A string that some reader would take for a number, a date, a boolean or null is quoted.
"""

import re
from collections.abc import Iterable

import yaml

from understudy.manifests.model import Json, JsonMap

# Starts like a number, date or special float, or is a word that YAML 1.1 or 1.2 reads as null or boolean.
_AMBIGUOUS = re.compile(
    r"[-+.]?[0-9].*|[-+]?\.(inf|nan)|(y|n|yes|no|true|false|on|off|null|~|=|<<)", re.IGNORECASE
)


class _Dumper(yaml.SafeDumper):
    """A dumper that repeats values instead of using anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class fixes the signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    style = '"' if _AMBIGUOUS.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(documents: Iterable[JsonMap]) -> str:
    """The documents as one YAML stream, keys in their order."""
    return yaml.dump_all(
        [_builtin(document) for document in documents],
        Dumper=_Dumper,
        sort_keys=False,
        explicit_start=True,
        allow_unicode=True,
        width=110,
    )


def _builtin(value: Json) -> object:
    if isinstance(value, str | int | float) or value is None:
        return value
    if hasattr(value, "items"):
        return {key: _builtin(child) for key, child in value.items()}
    return [_builtin(child) for child in value]


def dump_list(items: Iterable[JsonMap]) -> str:
    """The items as one YAML list, as a JSON 6902 patch is written."""
    return yaml.dump([_builtin(item) for item in items], Dumper=_Dumper, sort_keys=False, allow_unicode=True)

"""AWS's service models, from the files that botocore ships and without its code.

botocore's loader imports its HTTP client and takes several times longer to import than the models take to
read, and most commands talk to no AWS. Refuses to know what a shape means: `schema` does.
"""

import functools
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore

_DATA = Path(botocore.BOTOCORE_ROOT) / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One type of a service.

    Attributes:
        name: of the type.
        type: `structure`, `list`, `map` or the name of a scalar.
        members: the type of each member of a structure.
        required: members that must be there.
        element: type of a list's items or of a map's values.
        choices: the texts that AWS knows; empty where it takes any.
        bounds: smallest and largest number; None where AWS states none.
    """

    name: str
    type: str
    members: Mapping[str, str]
    required: tuple[str, ...]
    element: str
    choices: tuple[str, ...]
    bounds: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The newest model of a service.

    Attributes:
        document: as botocore's own loader returns it.
    """

    document: dict[str, Any]

    def input_of(self, operation: str) -> Shape:
        """What an operation takes.

        Raises:
            KeyError: there is no such operation, or it takes nothing.
        """
        return self.shape(self.document["operations"][operation]["input"]["shape"])

    def shape(self, name: str) -> Shape:
        """The type of that name.

        Raises:
            KeyError: there is none.
        """
        found = self.document["shapes"][name]
        element = found.get("member" if found["type"] == "list" else "value", {})
        return Shape(
            name=name,
            type=found["type"],
            members={member: child["shape"] for member, child in found.get("members", {}).items()},
            required=tuple(found.get("required", ())),
            element=element.get("shape", ""),
            choices=tuple(found.get("enum", ())),
            bounds=(found.get("min"), found.get("max")),
        )


@functools.cache
def load(service: str) -> Service:
    """Returns the newest model of `service`, read once in a process.

    Raises:
        LookupError: botocore ships no such service.
    """
    found = sorted((_DATA / service).glob("*/service-2.json*"))
    if not found:
        raise LookupError(service)
    document = _read(found[-1])
    for path in found[-1].parent.glob("service-2.sdk-extras.json*"):
        _merge(document, _read(path).get("merge", {}))
    return Service(document=document)


def _read(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    document: dict[str, Any] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return document


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value

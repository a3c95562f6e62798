"""Tags of AWS resources, which each service writes in its own way; what differs is found once, here."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy.manifests import ownership
from understudy.manifests.model import Json
from understudy.reconcile.compare import SYSTEM_TAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDelta:
    """What to write and what to take away."""

    put: Mapping[str, str]
    remove: tuple[str, ...]


def delta(wanted: Json, actual: Json) -> TagDelta:
    """The writes that turn `actual` into `wanted`; tags of AWS and of tools stay."""
    new, old = ownership.parse(wanted), ownership.parse(actual)
    return TagDelta(
        put={key: text for key, text in new.items() if old.get(key) != text},
        remove=tuple(key for key in old if key not in new and not key.startswith(SYSTEM_TAGS)),
    )


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": text} for key, text in tags.items()]

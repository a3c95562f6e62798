"""Finds the API that a manifest means among those of an account, where names are not unique; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.manifests import ownership
from understudy.manifests.model import DesiredResource
from understudy.reconcile.errors import AmbiguousError
from understudy.reconcile.manager import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An API as AWS lists it.

    Attributes:
        id: the id that AWS chose.
        name: its name, which others may have too.
        tags: its tags.
        answer: all that AWS says about it.
    """

    id: str
    name: str
    tags: Mapping[str, str]
    answer: Mapping[str, Any]


def meant(listed: Sequence[Listed], desired: DesiredResource) -> list[Listed]:
    """The APIs that a manifest could mean: those with its tags, or else those of its name without a stack."""
    name, own = text(desired.spec, "name"), _own(desired)
    named = [one for one in listed if one.name == name]
    ours = [one for one in listed if own and own.items() <= one.tags.items()]
    free = [one for one in named if not own or ownership.STACK not in one.tags]
    return [one for one in ours if one in named] or ours or free


def only(listed: Sequence[Listed], desired: DesiredResource) -> Listed | None:
    """The one API that a manifest means, or None when there is none.

    Raises:
        AmbiguousError: several could be meant.
    """
    found = meant(listed, desired)
    if len(found) > 1:
        ids = ", ".join(sorted(one.id for one in found))
        marks = " and ".join(f"{key}={value}" for key, value in _own(desired).items())
        raise AmbiguousError(
            "api-ambiguous",
            f"{desired.key} could be any of the APIs {ids}: they share the name {text(desired.spec, 'name')}",
            hint=f"tag the right one with {marks}, or delete the others" if marks else "delete the others",
            where=desired.where,
        )
    return found[0] if found else None


def _own(desired: DesiredResource) -> dict[str, str]:
    """The tags that only this API of this stack carries."""
    wanted = ownership.tags(desired.key.kind, desired.spec)
    return {key: wanted[key] for key in (ownership.STACK, ownership.RESOURCE) if key in wanted}

"""A plan for people and for programs."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import click

from understudy.manifests.model import Json
from understudy.reconcile import documents, redact
from understudy.reconcile.conditions import ResourceState
from understudy.reconcile.model import Action, Change, Plan

_MARKS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "red"),
    "delete": ("-", "red"),
    "push": ("^", "cyan"),
    "wait": ("…", "cyan"),
    "retain": ("=", "blue"),
}
_WIDTH = 60


def document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON: one entry per resource."""
    return {
        "counts": dict(plan.counts()),
        "actions": [
            {
                "resource": str(action.key),
                "verb": action.verb,
                "reason": action.reason,
                "foreign": action.foreign,
                "changes": change_documents(action.changes),
            }
            for action in plan.actions
        ],
    }


def state_document(state: ResourceState) -> dict[str, Any]:
    """One resource's state as JSON: what AWS chose is in ``status``, null where it does not exist."""
    return {
        "resource": str(state.key),
        "ready": state.ready,
        "synced": state.synced,
        "conditions": [
            {"type": one.type, "status": one.status, "reason": one.reason, "message": one.message}
            for one in state.conditions
        ],
        "status": dict(state.observed.status) if state.observed else None,
    }


def change_documents(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Differing fields as JSON, policies by the paths inside them, secrets hidden."""
    return [_change_document(change) for change in _shown(changes)]


def _change_document(change: Change) -> dict[str, Any]:
    return {"path": change.path, "old": change.old, "new": change.new, "known": change.known}


def show(plan: Plan, *, err: bool = False) -> None:
    """Prints the plan, unchanged resources left out; on stderr when it is not the result."""
    for action in plan.actions:
        if action.verb != "unchanged":
            _show(action, err=err)
    counts = ", ".join(f"{count} {verb}" for verb, count in sorted(plan.counts().items()))
    click.echo(counts or "the stack is empty", err=err)


def _show(action: Action, *, err: bool) -> None:
    mark, color = ("!", "magenta") if action.foreign else _MARKS.get(action.verb, ("?", "white"))
    reason = f"  ({action.reason})" if action.reason else ""
    click.secho(f"{mark} {action.key}{reason}", fg=color, err=err)
    for change in _shown(action.changes):
        new = _short(change.new) if change.known else "(known after apply)"
        click.echo(f"    {change.path}: {_short(change.old)} -> {new}", err=err)


def _shown(changes: Iterable[Change]) -> Iterator[Change]:
    for change in changes:
        yield from map(redact.change, documents.expanded(change))


def _short(value: Json) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"

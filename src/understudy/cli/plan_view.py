"""A plan for people and for programs."""

import json
from typing import Any

import click

from understudy.manifests.model import Json
from understudy.reconcile.model import Action, Plan

_MARKS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "red"),
    "delete": ("-", "red"),
    "push": ("^", "cyan"),
    "wait": ("…", "cyan"),
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
                "changes": [
                    {"path": change.path, "old": change.old, "new": change.new, "known": change.known}
                    for change in action.changes
                ],
            }
            for action in plan.actions
        ],
    }


def show(plan: Plan) -> None:
    """Prints the plan, unchanged resources left out."""
    for action in plan.actions:
        if action.verb != "unchanged":
            _show(action)
    counts = ", ".join(f"{count} {verb}" for verb, count in sorted(plan.counts().items()))
    click.echo(counts or "the stack is empty")


def _show(action: Action) -> None:
    mark, color = _MARKS.get(action.verb, ("?", "white"))
    reason = f"  ({action.reason})" if action.reason else ""
    click.secho(f"{mark} {action.key}{reason}", fg=color)
    for change in action.changes:
        new = _short(change.new) if change.known else "(known after apply)"
        click.echo(f"    {change.path}: {_short(change.old)} -> {new}")


def _short(value: Json) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"

"""``understudy get``: the stack's resources and their conditions."""

import click

from understudy.cli import console, plan_view, target_option
from understudy.errors import UnderstudyError
from understudy.manifests import errors, kinds
from understudy.reconcile import conditions


@click.command("get")
@click.argument("kind", required=False)
@target_option.target_option
@console.output_option
def command(kind: str | None, target_name: str, output: str) -> None:
    """List the resources of the stack, or those of one KIND, with their conditions."""
    wanted = _kind(kind) if kind else None
    found, deployment = target_option.deployment_of(target_name)
    _, _, plan = deployment.plan(deployment.built(), target_option.image_tags(found))
    states = [state for state in conditions.states(plan) if wanted in (None, state.key.kind)]
    if output == "json":
        console.print_json([plan_view.state_document(state) for state in states])
        return
    console.print_table(
        ["RESOURCE", "READY", "SYNCED", "WHY"],
        [
            [
                str(state.key),
                state.conditions[0].status,
                state.conditions[1].status,
                " ".join(filter(None, (condition.message for condition in state.conditions))),
            ]
            for state in states
        ],
    )


def _kind(text: str) -> str:
    """The kind that somebody means by `text`, which may be lower case or plural, as kubectl takes it."""
    spellings = {spelling.lower(): name for name in kinds.KINDS for spelling in (name, *_plurals(name))}
    if text.lower() in spellings:
        return spellings[text.lower()]
    close = errors.nearest(text, kinds.KINDS)
    raise UnderstudyError(
        "kind-unknown",
        f"{text} is no kind of resource; known are {', '.join(sorted(kinds.KINDS))}",
        hint=f"./understudy get {close}" if close else "./understudy get, without a kind, lists all",
    )


def _plurals(name: str) -> tuple[str, str, str]:
    return f"{name}s", f"{name}es", f"{name[:-1]}ies"

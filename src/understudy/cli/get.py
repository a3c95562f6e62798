"""``understudy get``: the stack's resources and their conditions."""

import click

from understudy.cli import console, plan_view, resource_names, target_option
from understudy.reconcile import conditions


@click.command("get")
@click.argument("kind", required=False)
@target_option.target_option
@console.output_option
def command(kind: str | None, target_name: str, output: str) -> None:
    """List the resources of the stack, or those of one KIND, with their conditions."""
    wanted = resource_names.kind_of(kind) if kind else None
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

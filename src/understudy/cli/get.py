"""``understudy get``: the stack's resources and their conditions."""

import click

from understudy.cli import console, target_option
from understudy.reconcile import conditions


@click.command("get")
@click.argument("kind", required=False)
@target_option.target_option
@console.output_option
def command(kind: str | None, target_name: str, output: str) -> None:
    """List the resources of the stack, or those of one KIND, with their conditions."""
    found, deployment = target_option.deployment_of(target_name)
    _, _, plan = deployment.plan(deployment.built(), target_option.image_tags(found))
    states = [
        state
        for state in conditions.states(plan)
        if kind is None or state.key.kind.lower() == kind.lower().removesuffix("s")
    ]
    if output == "json":
        console.print_json(states)
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
